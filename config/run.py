"""The whole hub in one command: database, broker, web, workers, schedule, simulated outside world, demo company.

`python -m config.run` stays until Ctrl-C. With `--once` it prints the figures of the demo and ends.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded import environment, processes, supervisor
from config.embedded.errors import EmbeddedError, say
from config.embedded.leases import Lock
from config.embedded.supervisor import Program, Supervisor

PAGES = ("/livez", "/admin/login/")  # the first that exists has to answer
PATIENCE = 120.0
QUEUES = "intake,outbox,stock,forecast,reports"
NICE = "10"  # how far workers stand behind the web: a tenth of its share where both want the processor
QUIET = ("--without-gossip", "--without-mingle")  # one worker has nobody to talk to, and starts a second sooner


@dataclass(frozen=True)
class Plan:
    """What a run consists of, in order: the web is up before the demo company is loaded, the workers after."""

    before: Sequence[Program]
    admin: Program
    web: Program
    load: Sequence[Program]
    children: Sequence[Program]
    after: Sequence[Program]
    summary: Program


def default_plan(host: str, port: int, hub: Path) -> Plan:
    """Name the steps and the programs of the real hub."""
    celery = ("celery", "-A", "config")
    return Plan(
        before=(
            _manage("collectstatic", "--noinput", "-v", "0"),
            _manage("migrate", "--noinput", "-v", "0"),
        ),
        admin=_manage("ensure_admin", "--password-file", str(hub / "admin_password")),
        web=_module("web", "web", "gunicorn", "config.wsgi", *_gunicorn(host, port)),
        load=(_manage("demo_load", "--if-empty"),),
        children=(
            Program("simulators", _manage("simulators", "--only", "taobao,house").command),
            _behind(_module("worker", "worker", *celery, "worker", "-Q", QUEUES, "-c", "2", "-l", "INFO", *QUIET)),
            _behind(_module("push", "worker", *celery, "worker", "-Q", "push", "-P", "solo", "-n", "push@%h", *QUIET)),
            _module("beat", "command", *celery, "beat", "-l", "INFO", "--pidfile="),
        ),
        after=(_manage("demo_traffic"),),
        summary=_manage("demo_summary"),
    )


def _manage(*words: str) -> Program:
    return Program(words[0], (sys.executable, str(environment.ROOT / "manage.py"), *words))


def _module(name: str, role: str, *words: str) -> Program:
    return Program(name, (sys.executable, "-m", *words), role)


def _behind(program: Program) -> Program:
    """Let a program have the processor only when the web leaves it: in a rush the door answers and the inbox waits."""
    return Program(program.name, ("nice", "-n", NICE, *program.command), program.role)


def _gunicorn(host: str, port: int) -> tuple[str, ...]:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    size = ("-k", "gthread", "--workers", "2", "--threads", "16")
    return (*size, "-b", bind, "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket")


@dataclass
class Run:
    """One run of the hub on one state folder."""

    hub: Path
    host: str
    port: int
    plan: Plan
    admin: str = ""

    @property
    def address(self) -> str:
        """Say where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def once(self) -> None:
        """Bring everything up, print the figures, stop everything."""
        self._run(stay=False)

    def until_interrupted(self) -> None:
        """Bring everything up and stay."""
        self._run(stay=True)

    def _run(self, *, stay: bool) -> None:
        """Hold the lock around everything: a second run must not even look at the first one's children."""
        lock = Lock(self.hub / "run.lock")
        if not lock.try_exclusive():
            raise EmbeddedError(_already_running(self.hub, lock.note()))
        with supervisor.interruptible() as deafen:
            try:
                lock.write(json.dumps({"pid": os.getpid(), "address": self.address}))
                self._stop_left_over()
                self._check_port()
                self._with_services(stay=stay)
            except supervisor.Interrupted as why:
                if not (stay and self.admin):
                    raise EmbeddedError(f"Interrupted ({why}) before the hub was up.") from why
            finally:
                deafen()
                lock.release()

    def _with_services(self, *, stay: bool) -> None:
        say(f"Starting the database and the broker in {self.hub} …")
        with environment.services(waits_for_others=False) as servers:
            extra = {"HUB_URL": self.address, "HUB_DIR": str(self.hub), "HUB_DEMO_TRAFFIC": "1"}
            if not os.environ.get("SECRET_KEY"):
                extra["SECRET_KEY"] = environment.secret_key(self.hub)
            all_of_it = Supervisor(self.hub / "logs", mark=str(self.hub), servers=servers, extra=extra)
            try:
                self._bring_up(all_of_it)
                if stay:
                    say("  Ctrl-C stops it all.\n")
                    all_of_it.watch(until=lambda: False)
            finally:
                say("Stopping …")
                all_of_it.stop()

    def _bring_up(self, all_of_it: Supervisor) -> None:
        for program in self.plan.before:
            _do(all_of_it, program)
        admin = _answer(all_of_it, self.plan.admin)
        all_of_it.start(self.plan.web)
        began = time.monotonic()
        all_of_it.watch(until=lambda: _answers(self.address, began))
        say(f"The hub answers at {self.address}/")
        for program in self.plan.load:
            _do(all_of_it, program)
        for program in self.plan.children:
            all_of_it.start(program)
        for program in self.plan.after:
            _do(all_of_it, program)
        all_of_it.do(self.plan.summary, output=1)
        self.admin = admin
        say(f"\n  Open      {self.address}/admin/\n  {admin}\n  Logs      {all_of_it.logs}\n")

    def _stop_left_over(self) -> None:
        found = processes.marked(str(self.hub))
        if found:
            pids = ", ".join(str(process.pid) for process in found)
            say(f"Processes {pids} were left over by a run that was killed: stopping them.")
            processes.stop_strangers(found, ((signal.SIGTERM, 3.0),))

    def _check_port(self) -> None:
        if not processes.port_is_free(self.host, self.port):
            raise EmbeddedError(
                f"Port {self.port} on {self.host} is taken by {processes.listener(self.port)}. "
                f"Stop it, or take another port: PORT={self.port + 1} make run"
            )


def _do(all_of_it: Supervisor, program: Program) -> None:
    say(f"── {program.name}")
    began = time.monotonic()
    all_of_it.do(program)
    say(f"   {program.name}: {time.monotonic() - began:.1f} s")


def _answer(all_of_it: Supervisor, program: Program) -> str:
    with tempfile.TemporaryFile("w+") as output:
        all_of_it.do(program, output=output.fileno())
        output.seek(0)
        return output.read().strip()


def _answers(address: str, began: float) -> bool:
    if time.monotonic() - began > PATIENCE:
        raise EmbeddedError(f"{address} does not answer after {PATIENCE:.0f} s.")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for page in PAGES:
        try:
            with direct.open(address + page, timeout=10):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                return False
        except OSError:
            return False
    return False


def _already_running(hub: Path, note: str) -> str:
    try:
        told = json.loads(note)
        where = f"process {told['pid']}, {told['address']}"
    except (ValueError, KeyError):
        where = "it is starting or stopping"
    return f"The hub of {hub} runs already ({where}). Stop it with Ctrl-C in its terminal, or take another HUB_DIR."


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise EmbeddedError(f"PORT={text} is not a port: take a number between 1 and 65535.")
    return int(text)


def main(argv: Sequence[str] | None = None, plan: Plan | None = None) -> int:
    """Run the hub; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.run", description="Run the whole hub.")
    parser.add_argument("--once", action="store_true", help="print the figures of the demo and end")
    options = parser.parse_args(argv)
    try:
        hub, host, port = environment.hub_dir(), os.environ.get("HUB_HOST") or "127.0.0.1", _port()
        run = Run(hub, host, port, plan or default_plan(host, port, hub))
        if options.once:
            run.once()
        else:
            run.until_interrupted()
    except EmbeddedError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
