"""A webhook of AfterShip: the whole parcel with all its checkpoints, signed over the body's bytes. Pure.

Its time (``ts``) is the event's and stays the same on every delivery of it, so it keeps nothing out; the same again
is known by its checkpoints. Not verified: the shape around ``msg``.
"""

from typing import Final

from audit.rules.sentences import say
from channels.adapters import fields, scans
from channels.adapters.aftership import client, sign, translate
from channels.adapters.protocol import Connection, Pushed, Received, Rejected
from channels.messages import Untranslatable

TAKEN: Final = b"{}"  # any 2xx will do


def receive(pushed: Pushed, connection: Connection) -> Received:
    """Return the parcel as one message; raises ``NotAuthentic``, and ``Rejected`` for one that names none."""
    sign.verify(pushed.body, pushed.header(sign.SIGNATURE), connection.credentials)
    try:
        told = fields.Fields(fields.decode(pushed.body), []).inner("msg")
        if told is None:
            raise Rejected(say("The push of %(platform)s names no parcel.", platform=client.PLATFORM))
        name = scans.name_of(told.code("slug"), told.code("tracking_number"), connection)
    except Untranslatable as error:
        raise Rejected(error.reason) from error
    return Received((translate.message(name, told.values),), answer=TAKEN)
