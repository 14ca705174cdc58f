"""Booking a document in three steps. The save is known by its key; the others are not, so the voucher is asked first.

A voucher that a workflow audits is submitted, and audited by whom the workflow names.
"""

from typing import Any, Final

from channels.adapters import calls, ledgers
from channels.adapters.protocol import Connection
from channels.adapters.yonyou import client, documents
from channels.messages import Outgoing

OPEN: Final = frozenset({"0", "4"})  # made, sent back
IN_APPROVAL: Final = "1"


def deliver(message: Outgoing, connection: Connection) -> str:
    """Save, submit and audit a document and return its number; raises ``RetryLater`` or ``Rejected``."""
    document = ledgers.document_of(message, client.PLATFORM)
    form = documents.form_of(document)
    saved = client.post(connection, f"{form.path}/singleSave", {"data": documents.data_of(document, connection)})
    number = saved.get("id") if isinstance(saved, dict) else None
    if not number:
        raise calls.not_understood(client.PLATFORM, calls.written(saved))
    voucher = _voucher(connection, form, number)
    state = str(voucher.get("verifystate"))
    asked = {"data": [{"id": number}]}
    if state in OPEN:
        client.post(connection, form.path + form.submit, asked)
    if state in OPEN | {IN_APPROVAL} and voucher.get("isWfControlled") is not True:
        client.post(connection, form.path + form.audit, asked)
    return f"{document.kind} {document.number} {number}"


def _voucher(connection: Connection, form: documents.Form, number: Any) -> dict[str, Any]:
    told = client.get(connection, f"{form.path}/detail", {"id": str(number)})
    if not isinstance(told, dict) or str(told.get("verifystate")) not in ("0", "1", "2", "3", "4"):
        raise calls.not_understood(client.PLATFORM, calls.written(told))
    return told
