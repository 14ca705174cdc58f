"""What nodes' own systems and carriers say of parcels, taken from the inbox into the verbs of fulfilment.

Facts may be late, doubled or skip a step: a parcel that is said to have left was packed too. A batch of messages is one
transaction; the orders of all its parcels are locked first, in the order of their keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.messages import IncomingParcel, IncomingTracking, ParcelState, Untranslatable
from channels.models import InboundMessage
from channels.services import connections, inbox
from channels.statuses import InboundKind, InboundStatus
from orders.models import Fulfillment, Order
from orders.services import fulfillment, tracking
from orders.services.fulfillment import Handover, Moved
from orders.statuses import FulfillmentStatus

KINDS: Final = (InboundKind.PARCEL, InboundKind.TRACKING)
NOT_MOVED: Final = "parcel_not_moved"
ACTOR: Final = Actor("job", "nodes")
STOPS: Final = (ParcelState.REFUSED, ParcelState.CANCELLED)
# How far a parcel is by its own status, and how far a fact says it is.
DONE: Final[Mapping[str, int]] = {
    "planned": 0, "released": 0, "picking": 1, "packed": 2, "shipped": 3, "delivered": 3, "cancelled": 4,
}  # fmt: skip
SAID: Final[Mapping[ParcelState, int]] = {
    ParcelState.ACCEPTED: 0, ParcelState.PICKED: 1, ParcelState.PACKED: 2, ParcelState.SHIPPED: 3,
    ParcelState.REFUSED: 4, ParcelState.CANCELLED: 4,
}  # fmt: skip


@dataclass(frozen=True)
class _Told:
    """A node's message with what it says."""

    message: InboundMessage
    says: IncomingParcel


def work_off(messages: Sequence[InboundMessage], *, at: datetime) -> None:
    """Take these claimed messages in and write what became of each; must run in the transaction that claimed them."""
    outcomes: list[inbox.Outcome] = []
    told: list[_Told] = []
    scanned: list[tracking.Told] = []
    for message in messages:
        try:
            says = inbox.translate(message, connections.without_secrets(message.channel))
        except Untranslatable as trouble:
            outcomes.append(inbox.Outcome(message.pk, InboundStatus.REJECTED, trouble.code, trouble.reason))
            continue
        if isinstance(says, IncomingParcel):
            told.append(_Told(message, says))
        elif isinstance(says, IncomingTracking):
            scanned.append(tracking.Told(message, says))
        else:
            why = say("The message is about something else than its kind says.")
            outcomes.append(inbox.Outcome(message.pk, InboundStatus.REJECTED, "not_taken", why))
    told.sort(key=lambda mail: (mail.says.external_id, mail.says.revision, mail.message.pk))
    _lock(told, scanned)
    outcomes.extend(_take_in(told, at=at))
    outcomes.extend(tracking.take_in(scanned, at=at))
    inbox.finish(outcomes, at=at)


def _lock(told: Sequence[_Told], scanned: Sequence[tracking.Told]) -> None:
    """Lock the orders of all these parcels at once, so that the verbs after it lock nothing out of order."""
    named = Fulfillment.objects.filter(number__in={mail.says.external_id for mail in told})
    labelled = Fulfillment.objects.filter(tracking_number__in={mail.says.tracking_number for mail in scanned} - {""})
    ids = {*named.values_list("order_id", flat=True), *labelled.values_list("order_id", flat=True)}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def _take_in(told: Sequence[_Told], *, at: datetime) -> list[inbox.Outcome]:
    parcels = _parcels(told)
    known = [mail for mail in told if mail.says.external_id in parcels]
    latest = {mail.says.external_id: mail for mail in known if _is_news(mail, parcels)}
    refused = _move(latest, parcels, at=at)
    outcomes, troubles = [], []
    for mail in told:
        number = mail.says.external_id
        if number not in parcels:
            why = say("No parcel of this system has the number %(number)s.", number=number)
            outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.REJECTED, tracking.UNKNOWN, why))
            troubles.append(tracking.unknown(mail.message, why))
        elif latest.get(number) is not mail:
            why = say("The parcel is further than this message says.")
            outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.SUPERSEDED, "older_revision", why))
        elif number in refused:
            outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.REJECTED, NOT_MOVED, refused[number]))
            troubles.append(_not_moved(mail, refused[number]))
        else:
            remark = next(iter(mail.says.remarks), None)
            outcomes.append(inbox.Outcome(mail.message.pk, InboundStatus.DONE, "mended" if remark else "", remark))
    cases.open_cases(troubles, at=at)
    moved = [tracking.subject(mail.message) for number, mail in latest.items() if number not in refused]
    cases.resolve(moved, kinds=[NOT_MOVED, tracking.UNKNOWN], actor=ACTOR, resolution="", at=at)
    return outcomes


def _parcels(told: Iterable[_Told]) -> dict[str, Fulfillment]:
    """Return the parcels that these messages name, of nodes for which their channel speaks."""
    speaks = {mail.says.external_id: set(mail.message.channel.options.get("nodes") or ()) for mail in told}
    found = Fulfillment.objects.filter(number__in=speaks).select_related("node")
    return {parcel.number: parcel for parcel in found if parcel.node.code in speaks[parcel.number]}


def _is_news(mail: _Told, parcels: Mapping[str, Fulfillment]) -> bool:
    """Return whether a message tells of something that has not happened yet, as far as we know."""
    parcel, says = parcels[mail.says.external_id], mail.says
    if says.state in STOPS:
        return parcel.status != FulfillmentStatus.CANCELLED
    if says.state == ParcelState.ACCEPTED:
        return parcel.status in (FulfillmentStatus.PLANNED, FulfillmentStatus.RELEASED)
    if parcel.status == FulfillmentStatus.CANCELLED:
        return says.state == ParcelState.SHIPPED  # goods that left although they were stopped: a person must know
    return SAID[says.state] > DONE[parcel.status]


def _move(latest: Mapping[str, _Told], parcels: Mapping[str, Fulfillment], *, at: datetime) -> dict[str, Sentence]:
    """Make the verbs' calls, each for all parcels at once, and return the parcels that were refused, and why."""
    states = {number: mail.says.state for number, mail in latest.items()}
    picked = [parcels[number].pk for number, state in states.items() if state == ParcelState.PICKED]
    packed = [
        parcels[number].pk
        for number, state in states.items()
        if state in (ParcelState.PACKED, ParcelState.SHIPPED) and DONE[parcels[number].status] < 2
    ]
    shipped = {
        parcels[number].pk: Handover(mail.says.carrier_code[:20], mail.says.tracking_number[:60])
        for number, mail in latest.items()
        if mail.says.state == ParcelState.SHIPPED
    }
    results: list[Moved] = []
    if picked:
        results.append(fulfillment.pick(picked, actor=ACTOR, at=at))
    if packed:
        results.append(fulfillment.pack(packed, actor=ACTOR, at=at))
    kept_back = {number for result in results for number in result.refused}
    for number in kept_back:
        shipped.pop(parcels[number].pk, None)
    if shipped:
        results.append(fulfillment.ship(shipped, actor=ACTOR, at=at))
    for (state, reason), ids in _stopped(latest, parcels).items():
        verb = fulfillment.reject if state == ParcelState.REFUSED else fulfillment.stop
        results.append(verb(ids, reason=reason, actor=ACTOR, at=at))
    return {number: why for result in results for number, why in result.refused.items()}


def _stopped(
    latest: Mapping[str, _Told], parcels: Mapping[str, Fulfillment]
) -> dict[tuple[ParcelState, str], list[int]]:
    """Return the parcels that their nodes refused or stopped, by which of both and the reason that was given."""
    by_reason: dict[tuple[ParcelState, str], list[int]] = {}
    for number, mail in latest.items():
        if mail.says.state in STOPS:
            by_reason.setdefault((mail.says.state, mail.says.reason[:150]), []).append(parcels[number].pk)
    return by_reason


def _not_moved(mail: _Told, why: Sentence) -> cases.Trouble:
    return cases.Trouble(
        kind=NOT_MOVED,
        subject=tracking.subject(mail.message),
        why=why,
        suggestion=say("Look where the parcel really is; when the cause is gone, choose “Try again” in the inbox."),
        subject_url=f"/admin/channels/inboundmessage/{mail.message.pk}/change/",
    )
