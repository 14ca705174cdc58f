"""What people do with messages that were not delivered: mend, give up, and a whole range again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Case
from audit.rules.actors import Actor
from channels.messages import PartnerEvent, StockFigure
from channels.models import Channel, DeliveryAttempt, OutboundMessage
from channels.services import outbox, outcomes, replay
from channels.services.outbox import Delivered, Draft
from channels.services.replay import NotMended, Range, RangeRefused
from channels.statuses import Lane
from tests.channels.services.conftest import make_channel

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WANG = Actor("person", "wang")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stuck() -> OutboundMessage:
    """A message that needs a person, with its case."""
    mute = make_channel("MUTE")
    outbox.enqueue([Draft(mute.pk, Lane.STOCK, "CUP", "k", StockFigure("i", "s", 7))], at=AT)
    assert outbox.deliver(at=AT) == Delivered(failed=1)
    return OutboundMessage.objects.get()


def test_a_mended_message_goes_out_under_its_key_and_keeps_its_first_body(stuck: OutboundMessage) -> None:
    first = stuck.body
    replay.mend(stuck.pk, first | {"quantity": 5}, reason="counted again", actor=WANG, at=AT)
    stuck.refresh_from_db()
    assert (stuck.status, stuck.attempts, stuck.key) == ("pending", 0, "k")
    assert (stuck.body["quantity"], stuck.first_body, stuck.edited_by) == (5, first, "person:wang")
    assert stuck.reason["values"] == {"actor": "person:wang", "reason": "counted again"}
    outbox.deliver(at=AT)
    replay.mend(stuck.pk, first | {"quantity": 4}, reason="again", actor=WANG, at=AT)
    stuck.refresh_from_db()
    assert (stuck.body["quantity"], stuck.first_body) == (4, first)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"quantity": "many"}, id="wrong type"),
        pytest.param({}, id="nothing"),
        pytest.param({"external_item_id": "i", "external_sku_id": "s", "quantity": 1, "colour": "red"}, id="unknown"),
    ],
)
def test_a_body_that_is_no_such_message_is_refused_and_nothing_changes(
    stuck: OutboundMessage, body: dict[str, Any]
) -> None:
    with pytest.raises(NotMended):
        replay.mend(stuck.pk, body, reason="x", actor=WANG, at=AT)
    after = OutboundMessage.objects.get()
    assert (after.status, after.body, after.first_body) == ("needs_person", stuck.body, None)


def test_what_is_given_up_is_settled_with_its_case(stuck: OutboundMessage) -> None:
    assert replay.give_up([stuck.pk], reason="listing is gone", actor=WANG, at=AT) == 1
    assert replay.give_up([stuck.pk], reason="twice", actor=WANG, at=AT) == 0
    stuck.refresh_from_db()
    assert (stuck.status, stuck.reason["values"]["reason"]) == ("given_up", "listing is gone")
    case = Case.objects.get()
    assert (case.status, case.resolved_by, case.resolution) == ("resolved", "person:wang", "listing is gone")
    with pytest.raises(NotMended):
        replay.mend(stuck.pk, stuck.body, reason="x", actor=WANG, at=AT)
    assert outbox.deliver(at=AT + timedelta(hours=2)) == Delivered()


def test_a_range_goes_out_again_under_the_same_keys() -> None:
    mute = make_channel("MUTE")
    for hour in range(4):
        made_at = AT + timedelta(hours=hour)
        outbox.enqueue([Draft(mute.pk, Lane.EVENTS, f"O{hour}", f"k{hour}", order_created(made_at))], at=made_at)
    OutboundMessage.objects.filter(key__in=["k0", "k1", "k3"]).update(status="sent")
    OutboundMessage.objects.filter(key="k2").update(status="given_up")
    asked = Range(mute.pk, Lane.EVENTS, AT + timedelta(hours=1), AT + timedelta(hours=3))
    assert replay.counts(asked) == {"sent": 1, "given_up": 1}
    at = AT + timedelta(hours=5)
    assert replay.again_in_range(asked, statuses=["sent"], reason="partner lost it", actor=WANG, at=at) == 1
    assert dict(OutboundMessage.objects.values_list("key", "status")) == {
        "k0": "sent", "k1": "pending", "k2": "given_up", "k3": "sent",
    }  # fmt: skip
    again = OutboundMessage.objects.get(key="k1")
    assert (again.not_before, again.attempts) == (at, 0)
    assert again.reason["values"] == {"actor": "person:wang", "reason": "partner lost it"}
    assert mute.history.latest().history_change_reason == "person:wang: 1 of events again: partner lost it"


def test_a_range_without_such_messages_leaves_no_trace() -> None:
    mute = make_channel("MUTE")
    asked = Range(mute.pk, Lane.EVENTS, AT, AT + timedelta(days=1))
    assert replay.again_in_range(asked, statuses=["sent"], reason="x", actor=WANG, at=AT) == 0
    assert mute.history.count() == 1


@pytest.mark.parametrize("days", [0, -1, 32])
def test_a_range_that_is_no_range_or_too_long_is_refused(days: int) -> None:
    asked = Range(sent_event().channel_id, Lane.EVENTS, AT, AT + timedelta(days=days))
    assert_refused(asked, "no longer than 31 days")


@pytest.mark.parametrize("lane", [Lane.STOCK, Lane.URGENT])
def test_old_figures_of_stock_are_not_sent_again(lane: Lane) -> None:
    row = sent_event()
    OutboundMessage.objects.update(lane=lane)
    assert_refused(Range(row.channel_id, lane, AT, AT + timedelta(days=1)), "as it was")


def test_too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = sent_event()
    monkeypatch.setattr(replay, "MOST_AT_ONCE", 0)
    assert_refused(Range(row.channel_id, Lane.EVENTS, AT, AT + timedelta(days=1)), "At most 0 messages", counted=1)


def order_created(at: datetime) -> PartnerEvent:
    return PartnerEvent("order.created", "O", at, {})


def sent_event() -> OutboundMessage:
    outbox.enqueue([Draft(make_channel("MUTE").pk, Lane.EVENTS, "O", "k", order_created(AT))], at=AT)
    OutboundMessage.objects.update(status="sent")
    return OutboundMessage.objects.get()


def assert_refused(asked: Range, words: str, *, counted: int | None = None) -> None:
    with pytest.raises(RangeRefused, match=words):
        replay.again_in_range(asked, statuses=["sent"], reason="x", actor=WANG, at=AT)
    assert OutboundMessage.objects.get().status == "sent"
    if counted is None:
        with pytest.raises(RangeRefused, match=words):
            replay.counts(asked)
    else:
        assert replay.counts(asked) == {"sent": counted}


def test_old_tries_are_deleted_and_their_messages_stay(stuck: OutboundMessage) -> None:
    DeliveryAttempt.objects.update(attempted_at=AT - timedelta(days=31))
    outbox.enqueue([Draft(Channel.objects.get().pk, Lane.STOCK, "x", "x", StockFigure("i", "s", 1))], at=AT)
    outbox.deliver(at=AT)
    assert outcomes.prune(at=AT) == 1
    assert (DeliveryAttempt.objects.count(), OutboundMessage.objects.count()) == (1, 2)
