"""Booking a document in three steps, none of them twice.

Our number is the bill's. When the save is refused by validation, the bill may be there already, from a try whose answer
was lost: then its status says which steps are left.
"""

from typing import Final

from channels.adapters import ledgers
from channels.adapters.kingdee import client, documents
from channels.adapters.protocol import Connection
from channels.messages import Outgoing

NEXT: Final = {  # the status of a bill → the steps that are left
    "Z": ("Submit", "Audit"),
    "A": ("Submit", "Audit"),
    "D": ("Submit", "Audit"),
    "B": ("Audit",),
    "C": (),
}


def deliver(message: Outgoing, connection: Connection) -> str:
    """Save, submit and audit a document and return its number; raises ``RetryLater`` or ``Rejected``."""
    document = ledgers.document_of(message, client.PLATFORM)
    form = documents.form_of(document)
    steps = NEXT["A"]
    try:
        client.write(connection, "Save", form.name, documents.data_of(document, connection))
    except client.Refused as refused:
        found = _status(connection, form.name, document.number) if refused.code == client.VALIDATION else ""
        if found not in NEXT:
            raise
        steps = NEXT[found]
    for step in steps:
        client.write(connection, step, form.name, {"Numbers": [document.number]})
    return f"{form.name} {document.number}"


def _status(connection: Connection, form: str, number: str) -> str:
    where = "FBillNo = '{}'".format(number.replace("'", "''"))
    rows = client.query(connection, form, "FBillNo,FDocumentStatus", where)
    return next((str(row[1]) for row in rows if len(row) == 2 and row[0] == number), "")
