"""What people do with orders and parcels. Each function calls one verb and puts its outcome into one sentence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin.verbs import Answer, ReasonForm, Verb, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from orders.admin import unfound
from orders.admin.looks import CARRIERS
from orders.models import Fulfillment, Hold
from orders.services import cancellation, fulfillment, holds
from orders.services.fulfillment import Handover, Moved
from orders.statuses import AttemptOutcome, FulfillmentStatus, OrderStatus

STILL_WAITING = say("Its cause is still there.")
FINAL = (OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def order_ids(rows: Sequence[Any]) -> list[int]:
    """Return the orders meant by rows that are orders or holds."""
    return list(dict.fromkeys(row.order_id if isinstance(row, Hold) else row.pk for row in rows))


def try_again(rows: Sequence[Any], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Take orders on again after their cause was mended."""
    tried = holds.try_again(order_ids(rows), actor=actor, at=at)
    done = say("%(count)s orders went on.", count=len(tried.went_on)) if tried.went_on else None
    return Answer(done, dict.fromkeys(tried.still_waiting, STILL_WAITING))


def hold(rows: Sequence[Any], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Put orders on hold by hand."""
    count = holds.place(order_ids(rows), reason=told["reason"], actor=actor, at=at)
    return Answer(say("%(count)s orders are on hold now.", count=count))


def lift(rows: Sequence[Any], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Lift the holds that a person may lift."""
    count = holds.lift(order_ids(rows), actor=actor, at=at)
    if count:
        return Answer(say("The hold of %(count)s orders is lifted.", count=count))
    return Answer(refused={row_name(row): say("It has no hold that a person may lift; choose “Try again”.")
                           for row in rows})  # fmt: skip


def cancel(rows: Sequence[Any], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Cancel orders that no node has yet."""
    outcome = cancellation.cancel(order_ids(rows), reason=told["reason"], actor=actor, at=at)
    done = say("%(count)s orders are cancelled.", count=len(outcome.done)) if outcome.done else None
    return Answer(done, outcome.refused)


def row_name(row: Any) -> str:
    """Return the order number of an order or a hold."""
    return row.order.number if isinstance(row, Hold) else row.number


def _moved(moved: Moved, done: Sentence) -> Answer:
    return Answer(done if moved.done else None, moved.refused)


def pick(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Begin picking."""
    moved = fulfillment.pick([row.pk for row in rows], actor=actor, at=at)
    return _moved(moved, say("Picking of %(count)s parcels has begun.", count=len(moved.done)))


def pack(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Say that parcels are packed."""
    moved = fulfillment.pack([row.pk for row in rows], actor=actor, at=at)
    return _moved(moved, say("%(count)s parcels are packed.", count=len(moved.done)))


def ship(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Hand parcels over to the carrier."""
    handovers = {row.pk: Handover(told["carrier_code"], told[f"tracking_{row.pk}"]) for row in rows}
    moved = fulfillment.ship(handovers, actor=actor, at=at)
    return _moved(moved, say("%(count)s parcels are shipped.", count=len(moved.done)))


def deliver(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Say that the buyers have their parcels."""
    moved = fulfillment.deliver([row.pk for row in rows], actor=actor, at=at)
    return _moved(moved, say("%(count)s parcels are delivered.", count=len(moved.done)))


def stop(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Take parcels back before they leave."""
    moved = fulfillment.stop([row.pk for row in rows], reason=told["reason"], actor=actor, at=at)
    return _moved(moved, say("%(count)s parcels are stopped.", count=len(moved.done)))


def reject(rows: Sequence[Fulfillment], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Say that nodes will not send parcels; others get them."""
    outcome = AttemptOutcome(told["outcome"])
    ids = [row.pk for row in rows]
    moved = fulfillment.reject(ids, reason=told["reason"], outcome=outcome, actor=actor, at=at)
    return _moved(moved, say("%(count)s parcels are taken back and planned again.", count=len(moved.done)))


class RejectForm(ReasonForm):
    """What keeps the node from sending parcels, and why in words."""

    outcome = forms.ChoiceField(label=_("What happened"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = (AttemptOutcome.REJECTED, AttemptOutcome.STOCK_GONE, AttemptOutcome.CARRIER_STOPPED)
        self.fields["outcome"].choices = [(one.value, one.label) for one in chosen]  # type: ignore[attr-defined]
        self.order_fields(["outcome", "reason"])


class ShipForm(VerbForm):
    """With whom parcels leave: one carrier, and one number for each parcel."""

    carrier_code = forms.ChoiceField(
        label=_("Carrier"), choices=[(code, code) for code in CARRIERS], widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in self.rows:
            self.fields[f"tracking_{row.pk}"] = forms.CharField(
                label=_("Tracking number of %(parcel)s") % {"parcel": row.number},
                max_length=60,
                widget=UnfoldAdminTextInputWidget,
            )


def can_become(*targets: FulfillmentStatus) -> Any:
    """Return the question whether a parcel may make one of these moves."""
    return lambda parcel: any(target in FulfillmentStatus.MOVES[parcel.status] for target in targets)


def is_at_its_node(parcel: Fulfillment) -> bool:
    """Return whether a node has the parcel and has not sent it."""
    return parcel.status != FulfillmentStatus.PLANNED and parcel.status in FulfillmentStatus.OPEN


def is_alive(order: Any) -> bool:
    """Return whether an order may still be held or cancelled."""
    return isinstance(order, Hold) or order.status not in FINAL


def waits(order: Any) -> bool:
    """Return whether trying again may change something."""
    return isinstance(order, Hold) or order.status in (OrderStatus.ON_HOLD, OrderStatus.BACKORDERED)


def is_held(order: Any) -> bool:
    """Return whether the order has an open hold."""
    return isinstance(order, Hold) or (order.open_holds > 0 and order.status not in FINAL)


TRY_AGAIN = Verb("try_again", _("Try again"), try_again, icon="replay", is_offered=waits)
LIFT = Verb("lift", _("Lift hold"), lift, icon="lock_open", is_offered=is_held)
HOLD = Verb(
    "hold", _("Hold…"), hold, ReasonForm, icon="front_hand", is_offered=is_alive,
    intro=_("The order stays where it is until somebody lifts the hold."),
)  # fmt: skip
CANCEL = Verb(
    "cancel", _("Cancel order…"), cancel, ReasonForm, icon="block", is_grave=True, is_offered=is_alive,
    intro=_("Its stock goes back at once. This cannot be undone."),
)  # fmt: skip
OF_ORDERS = (TRY_AGAIN, LIFT, HOLD, CANCEL)
OF_PARCELS = (
    Verb("pick", _("Start picking"), pick, icon="shopping_basket", is_offered=can_become(FulfillmentStatus.PICKING)),
    Verb("pack", _("Pack"), pack, icon="package_2", is_offered=can_become(FulfillmentStatus.PACKED)),
    Verb("ship", _("Ship…"), ship, ShipForm, icon="local_shipping", is_offered=can_become(FulfillmentStatus.SHIPPED)),
    Verb("deliver", _("Delivered"), deliver, icon="where_to_vote", is_offered=can_become(FulfillmentStatus.DELIVERED)),
    Verb("reject", _("Node refuses…"), reject, RejectForm, icon="reply", is_grave=True, is_offered=is_at_its_node,
         intro=_("Another node gets it at once if one can; this one is trusted less for a while.")),
    Verb("stop", _("Stop parcel…"), stop, ReasonForm, icon="pan_tool", is_grave=True,
         is_offered=can_become(FulfillmentStatus.CANCELLED),
         intro=_("The node must not send it; its stock is free again and the order waits for a decision.")),
    Verb("unfound", _("Not found…"), unfound.report, unfound.UnfoundForm, icon="search_off", is_grave=True,
         is_offered=can_become(FulfillmentStatus.CANCELLED),
         intro=_("The node cannot find some of it: the parcel is stopped, the missing units count as oversold.")),
)  # fmt: skip
