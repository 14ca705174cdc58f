"""The file adapter: it only translates; nothing can be pushed, pulled or delivered through a file."""

from channels.adapters.file import translate
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.messages import Incoming, RawMessage


class FileAdapter(Adapter):
    """Reads orders that came in a file."""

    capabilities = Capabilities(refund_in=True, cancel_in=True)
    option_names = ("time_zone", "stores")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the order, or the return, that a group of rows describes; raises ``Untranslatable``."""
        return translate.translate(raw, connection)


ADAPTER: Adapter = FileAdapter()
