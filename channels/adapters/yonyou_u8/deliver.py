"""Booking a document so that doing it twice does no harm.

A trade id belongs to one request and cannot be kept over a lost answer, so a document is looked for by our number
before it is added, and once more when adding is refused: U8 may have done what it was asked for before. Not verified:
``DONE``, the words of a list for a document that is verified or closed.
"""

from typing import Final

from channels.adapters import ledgers
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.yonyou_u8 import client, documents
from channels.messages import Outgoing

DONE: Final = frozenset({"Approved", "Closed", "审核", "关闭"})


def deliver(message: Outgoing, connection: Connection) -> str:
    """Add and verify a document and return its number; raises ``RetryLater`` or ``Rejected``."""
    document = ledgers.document_of(message, client.PLATFORM)
    name, data = documents.form_of(document).name, documents.data_of(document, connection)
    known = client.find(connection, name, document.number)
    if known is None:
        try:
            client.add(connection, name, data)
        except NotThis:
            known = client.find(connection, name, document.number)
            if known is None:
                raise
    if known is None or str(known.get("state")) not in DONE:
        client.verify(connection, name, document.number)
    return f"{name} {document.number}"
