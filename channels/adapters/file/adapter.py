"""The file adapter: it only translates; nothing can be pushed, pulled or delivered through a file."""

from channels.adapters.file import translate
from channels.adapters.protocol import Adapter, Connection
from channels.messages import Incoming, RawMessage


class FileAdapter(Adapter):
    """Reads orders that came in a file."""

    option_names = ("time_zone",)

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the order that a group of rows describes; raises ``Untranslatable``."""
        return translate.translate(raw.payload, connection)


ADAPTER: Adapter = FileAdapter()
