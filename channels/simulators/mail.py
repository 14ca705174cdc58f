"""An SMTP server on loopback that keeps what it was sent and can refuse, hang up, or lose its answer.

It speaks as much as a client needs: EHLO, AUTH PLAIN and LOGIN, MAIL, RCPT, DATA, RSET, NOOP, QUIT; no TLS.
"""

import base64
import email
import email.policy
import socketserver
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, ClassVar, Self

from channels.simulators.server import LOOPBACK, Faults


@dataclass(frozen=True)
class Mail:
    """One mail that was taken: the envelope and the letter."""

    sender: str
    to: tuple[str, ...]
    letter: EmailMessage


class Platform:
    """One mailbox. ``refusals`` says which address is refused with which answer (``450 later``, ``550 unknown``)."""

    path: ClassVar[str] = ""

    def __init__(self, *, faults: Faults | None = None) -> None:
        self.credentials: Mapping[str, str] = {"user": "hub", "password": "secret"}
        self.options: dict[str, Any] = {"live": True, "sender": "hub@shop.example", "tls": False}
        self.faults = faults or Faults()
        self.mails: list[Mail] = []
        self.refusals: dict[str, str] = {}
        self.logins = 0
        self.lock = threading.Lock()

    def serve(self, *, port: int = 0) -> "SmtpServer":
        """Return a server for this mailbox; a context manager with ``url``."""
        return SmtpServer(self, port=port)

    def state(self) -> dict[str, Any]:
        """Return how many mails came for whom."""
        with self.lock:
            return {"mails": [list(mail.to) for mail in self.mails], "logins": self.logins}


class SmtpServer:
    """Listens on a loopback port until stopped."""

    def __init__(self, platform: Platform, *, port: int = 0) -> None:
        self._server = _Server((LOOPBACK, port), _Talk)
        self._server.platform = platform
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"smtp://{LOOPBACK}:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Begin to serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    platform: Platform


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer line by line until the other side leaves."""
        self.sender, self.to, self.is_known = "", list[str](), False
        if self.server.platform.faults.strikes("cut"):
            return
        self._say("220 loopback ESMTP")
        while line := self.rfile.readline(2000):
            word, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            act = getattr(self, f"_{word.lower()}", None)
            if word.upper() == "QUIT":
                self._say("221 bye")
                return
            if act is None:
                self._say("502 not known")
            elif act(rest) is False:
                return

    def _ehlo(self, rest: str) -> None:
        self._say("250-loopback", "250-AUTH PLAIN LOGIN", "250 SMTPUTF8")

    def _noop(self, rest: str) -> None:
        self._say("250 fine")

    def _rset(self, rest: str) -> None:
        self.sender, self.to = "", []
        self._say("250 fine")

    def _auth(self, rest: str) -> None:
        kind, _, first = rest.partition(" ")
        if kind.upper() == "PLAIN":
            user, password = base64.b64decode(first or self._ask("")).split(b"\0")[1:3]
        else:
            user = base64.b64decode(first or self._ask("VXNlcm5hbWU6"))
            password = base64.b64decode(self._ask("UGFzc3dvcmQ6"))
        known = self.server.platform.credentials
        self.is_known = (user.decode(), password.decode()) == (known["user"], known["password"])
        self.server.platform.logins += self.is_known
        self._say("235 welcome" if self.is_known else "535 wrong user or password")

    def _mail(self, rest: str) -> None:
        self.sender = rest.partition("<")[2].partition(">")[0]
        self._say("250 fine" if self.is_known else "530 log in first")

    def _rcpt(self, rest: str) -> None:
        address = rest.partition("<")[2].partition(">")[0]
        refusal = self.server.platform.refusals.get(address)
        if refusal is None:
            self.to.append(address)
        self._say(refusal or "250 fine")

    def _data(self, rest: str) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline(2000)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        letter = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        platform = self.server.platform
        with platform.lock:
            platform.mails.append(Mail(self.sender, tuple(self.to), letter))
        if platform.faults.strikes("lost"):
            return False
        self._say("250 taken")
        return True

    def _ask(self, words: str) -> bytes:
        self._say(f"334 {words}")
        return self.rfile.readline(2000).strip()

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
