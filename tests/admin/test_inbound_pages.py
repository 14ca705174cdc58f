"""What the desk shows of the way in: what only reconciliation found, orders to fetch, refunds, and no secret."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.rules.sentences import say
from channels.messages import RawMessage
from channels.models import PullCursor, WantedOrder
from channels.services import credentials, inbox
from orders.models import Order, Refund
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


def page(browser, name, *args, query=""):
    answer = browser.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_only_reconciliation_found_stands_at_the_channel_with_a_link_to_it(desk, shop):
    channel = shop[0]
    now = timezone.now()
    for number, hours in (("LOST1", 1), ("LOST2", 30), ("LOST3", 100), ("OLD", 200)):
        raw = RawMessage("order", number, 1, b"{}")
        inbox.store(channel, [raw], at=now - timedelta(hours=hours), source="reconcile")
    inbox.store(channel, [RawMessage("order", "PUSHED", 1, b"{}")], at=now)
    PullCursor.objects.create(channel=channel, pulled_until=now, last_reconciled_at=now - timedelta(minutes=7))
    link = f"{reverse('admin:channels_inboundmessage_changelist')}?source=reconcile&amp;channel={channel.pk}"
    for shown in (page(desk, "channels_channel_changelist"), page(desk, "channels_channel_change", channel.pk)):
        assert link in shown
        assert "1 / 3" in shown
    assert "7 min" in page(desk, "channels_channel_change", channel.pk)
    listed = page(desk, "channels_inboundmessage_changelist", query=f"?source=reconcile&channel={channel.pk}")
    assert [number in listed for number in ("LOST1", "LOST2", "LOST3", "OLD", "PUSHED")] == [True] * 4 + [False]


def test_the_page_of_a_new_channel_opens(desk):
    page(desk, "channels_channel_add")


def test_an_order_that_could_not_be_fetched_is_fetched_again_from_the_list(desk, shop):
    why = say("The platform does not show this order.").stored()
    row = WantedOrder.objects.create(
        channel=shop[0], external_id="A", wanted_at=NOON, not_before=NOON, attempts=10, reason=why
    )
    assert "The platform does not show this order." in page(desk, "channels_wantedorder_change", row.pk)
    url = reverse("admin:channels_wantedorder_changelist")
    answer = desk.post(url, {"action": "fetch_again", "_selected_action": [row.pk]}, follow=True)
    assert "1 orders are fetched again." in answer.content.decode()
    row.refresh_from_db()
    assert row.attempts == 0


def test_refunds_are_listed_and_found_by_their_order(desk, sell):
    sell({"1": {"CUP": 1}, "2": {"CUP": 1}})
    for order in Order.objects.order_by("number"):
        Refund.objects.create(
            order=order, external_id=f"R-{order.number}", status="asked", amount=12, received_at=NOON,
            lines=[{"line": "line-7", "quantity": 1}],
        )  # fmt: skip
    listed = page(desk, "orders_refund_changelist", query="?q=JD-2")
    assert ("R-JD-2" in listed, "R-JD-1" in listed, "line-7" in listed) == (True, False, True)


def test_no_page_of_a_channel_shows_a_secret(desk, shop):
    channel = shop[0]
    credentials.keep(channel, {"secret": "hush-hush", "token": "second-secret"})
    channel.refresh_from_db()
    shown = "".join(
        page(desk, f"channels_channel_{name}", *args)
        for name, args in (("changelist", ()), ("change", (channel.pk,)), ("history", (channel.pk,)))
    )
    for secret in ("hush-hush", "second-secret", channel.credentials, channel.credentials.split(":")[2][:20]):
        assert secret not in shown


def test_those_who_may_not_see_refunds_do_not(clerk, shop):
    browser = clerk("orders.view_order")
    assert browser.get(reverse("admin:orders_refund_changelist")).status_code == 403
