"""Changes that came before their order and were not taken up with it.

Two workers that take an order and its change at the same moment do not see each other: the change waits although the
order is there. The sweep wakes such messages; those that wait for a whole day become a case.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from audit.rules.sentences import say
from audit.services import cases
from channels.models import InboundMessage
from channels.statuses import InboundStatus
from orders.services import tracking

PATIENCE = timedelta(days=1)

_WAKE = """
UPDATE channels_inboundmessage AS message SET status = 'received'
  FROM orders_order AS known
 WHERE message.status = 'waiting'
   AND known.channel_id = message.channel_id AND known.external_id = message.external_id
"""


@transaction.atomic
def wake(*, at: datetime) -> int:
    """Send waiting messages whose order is there back to the inbox, and report those that wait too long."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE)
        woken = int(cursor.rowcount) + tracking.wake()
    late = InboundMessage.objects.filter(status=InboundStatus.WAITING, received_at__lt=at - PATIENCE)
    cases.open_cases(
        [
            cases.Trouble(
                kind="change_without_order",
                subject=f"{message.channel.code}/{message.external_id}",
                why=say("A change waits since a day for an order that never came."),
                suggestion=say("Ask the channel for the order, or reject the message."),
                subject_url=f"/admin/channels/inboundmessage/{message.pk}/change/",
            )
            for message in late.select_related("channel").order_by("pk")[:200]
        ],
        at=at,
    )
    return woken
