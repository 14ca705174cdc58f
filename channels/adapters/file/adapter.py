"""The file adapter: it only translates; nothing can be pushed, pulled or delivered through a file."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from channels.adapters.file import translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, NotOffered
from channels.messages import Incoming, Outgoing, RawMessage


class FileAdapter:
    """Reads orders that came in a file."""

    capabilities = Capabilities()

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the order that a group of rows describes; raises ``Untranslatable``."""
        return translate.translate(raw.payload, connection)

    def receive(self, headers: Mapping[str, str], body: bytes, connection: Connection) -> list[RawMessage]:
        """Refuse: files are imported by a command."""
        raise NotOffered("files are imported, not pushed")

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Refuse: files are imported by a command."""
        raise NotOffered("files are imported, not pulled")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Refuse: a file cannot be told anything."""
        raise NotOffered("nothing can be told to a file")


ADAPTER: Adapter = FileAdapter()
