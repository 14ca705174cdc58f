"""A push of Kuaidi100: a form whose ``param`` holds all that is known of one parcel, digested with our salt. Pure.

There is no time in it that a digest covers; a push that comes again is known by its scans.
"""

import json
from typing import Final

from audit.rules.sentences import say
from channels.adapters import fields, scans
from channels.adapters.kuaidi100 import client, sign, translate
from channels.adapters.protocol import Connection, Pushed, Received, Rejected
from channels.messages import RawMessage, Untranslatable

TAKEN: Final = json.dumps({"result": True, "returnCode": "200", "message": "成功"}, ensure_ascii=False).encode()


def receive(pushed: Pushed, connection: Connection) -> Received:
    """Return the push as one message; raises ``NotAuthentic``, and ``Rejected`` for one that names no parcel."""
    form = scans.form(pushed.body)
    sign.verify(form, connection.credentials.get("salt", ""))
    payload = form["param"].encode()
    try:
        told = fields.decode(payload)
        result = fields.Fields(told, []).inner("lastResult")
        if result is None:
            raise Rejected(say("The push of %(platform)s names no parcel.", platform=client.PLATFORM))
        company = told.get("comOld") or result.code("com")  # comNew is what they took the carrier for instead
        number = result.code("nu")
    except Untranslatable as error:
        raise Rejected(error.reason) from error
    name = scans.name_of(str(company), number, connection)
    return Received((RawMessage("tracking", name, translate.revision_of(result.values), payload),), answer=TAKEN)
