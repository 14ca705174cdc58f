"""Connecting a channel against the simulated platform, step by step."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from audit.models.sentences import render
from channels.models import Channel, ChannelSetup
from channels.services import connections, setup
from channels.services.setup import Entered, NewChannel, SetupRefused, Terms
from channels.simulators.server import LoopbackServer
from channels.simulators.taobao import Platform
from inventory.models import ChannelShare
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


def begin(code: str = "TM", adapter: str = "taobao") -> ChannelSetup:
    return setup.begin(NewChannel(adapter, code, "Tmall"), actor=TESTER, at=NOON)


def enter(row: ChannelSetup, **entered) -> ChannelSetup:
    return setup.enter(row, Entered(**entered), actor=TESTER)


@pytest.fixture
def reached(platform: Platform, server: LoopbackServer) -> ChannelSetup:
    row = enter(begin(), base_url=f"{server.url}/router/rest", credentials=platform.credentials)
    return setup.check(row, at=NOON)


def test_a_channel_begins_neither_active_nor_live():
    row = begin()
    channel = Channel.objects.get()
    assert (channel.code, channel.platform, channel.adapter) == ("TM", "taobao", "taobao")
    assert (channel.is_active, channel.is_sandbox) == (False, True)
    assert (row.step, row.started_by, row.started_at) == ("credentials", "person:tester", NOON)
    assert channel.history.get().history_change_reason == "person:tester: connection begun"


@pytest.mark.parametrize(
    ("code", "adapter", "why"),
    [
        ("tm", "taobao", "There is a channel tm already."),
        ("T-M", "taobao", "A code has up to 20 letters, digits and underscores."),
        ("", "taobao", "A code has up to 20 letters, digits and underscores."),
        ("X" * 21, "taobao", "A code has up to 20 letters, digits and underscores."),
        ("OK", "no_such", "There is no adapter no_such."),
    ],
)
def test_a_channel_that_cannot_be_is_refused(code, adapter, why):
    begin("TM")
    with pytest.raises(SetupRefused) as refused:
        begin(code, adapter)
    assert str(refused.value.reason) == why
    assert (Channel.objects.count(), ChannelSetup.objects.count()) == (1, 1)


def test_empty_fields_keep_what_is_stored():
    row = enter(begin(), base_url="http://one", credentials={"app_key": "1", "session": "s"}, options={"a": "b"})
    row = enter(row, credentials={"app_key": "2", "session": ""}, options={"a": "", "c": {"d": 1}})
    told = connections.of(Channel.objects.get())
    assert told.base_url == "http://one"
    assert told.credentials == {"app_key": "2", "session": "s"}
    assert told.options == {"a": "b", "c": {"d": 1}}


def test_the_right_credentials_reach_the_shop(reached):
    row = ChannelSetup.objects.get()
    assert (row.is_reached, row.checked_at, row.step) == (True, NOON, "listings")
    assert render(row.check_result) == "Connected to 演示旗舰店."


def test_wrong_credentials_are_said_and_nothing_goes_on(platform, server):
    wrong = platform.credentials | {"app_secret": "wrong"}
    row = setup.check(enter(begin(), base_url=f"{server.url}/router/rest", credentials=wrong), at=NOON)
    row.refresh_from_db()
    assert (row.is_reached, row.step) == (False, "credentials")
    assert "code 25" in render(row.check_result)
    with pytest.raises(SetupRefused):
        setup.switch_on(row, is_sandbox=True, actor=TESTER, at=NOON)
    assert Channel.objects.get().is_active is False


def test_no_address_and_nobody_listening_are_said():
    row = enter(begin(), credentials={"app_key": "1", "app_secret": "2", "session": "3"})
    assert render(setup.check(row, at=NOON).check_result) == "Channel TM cannot call Taobao: base_url is not set."
    row = enter(row, base_url="http://127.0.0.1:9")
    assert render(setup.check(row, at=NOON).check_result) == "Taobao cannot be reached: ConnectError."


def test_what_a_platform_does_not_offer_is_said():
    row = setup.check(begin(adapter="house"), at=NOON)
    assert (row.is_reached, render(row.check_result)) == (False, "This platform has no such call.")


def test_new_credentials_must_be_tried_again(reached):
    row = enter(reached, credentials={"session": "other"})
    assert (row.is_reached, row.checked_at, row.check_result) == (False, None, {})


def test_the_terms_are_kept_and_the_share_is_one_draft(reached):
    near, far = company.node("SH"), company.node("WH", "42")
    first = Terms([near.pk, far.pk], Decimal("5.50"), 45, 24, "capped", Decimal(30))
    setup.agree(reached, first, actor=TESTER, at=NOON)
    again = Terms([near.pk], Decimal("6.00"), 45, 24, "exclusive", Decimal(20))
    row = setup.agree(reached, again, actor=TESTER, at=NOON)

    channel = Channel.objects.get()
    assert row.step == "summary"
    assert (channel.fee_percent, channel.unpaid_minutes, channel.ship_within_hours) == (Decimal("6.00"), 45, 24)
    assert list(channel.nodes.all()) == [near]
    draft = ChannelShare.objects.get()
    assert (draft.channel, draft.kind, draft.unit, draft.amount) == ("TM", "exclusive", "percent", Decimal(20))
    assert draft.status == "draft"


def test_sandbox_first_then_live(reached):
    setup.switch_on(reached, is_sandbox=True, actor=TESTER, at=NOON)
    channel = Channel.objects.get()
    assert (channel.is_active, channel.is_sandbox) == (True, True)
    row = setup.switch_on(reached, is_sandbox=False, actor=TESTER, at=NOON)
    channel.refresh_from_db()
    assert (channel.is_active, channel.is_sandbox) == (True, False)
    assert (row.step, row.finished_at) == ("done", NOON)


def test_a_platform_that_cannot_be_tried_may_be_switched_on():
    row = setup.switch_on(begin(adapter="house"), is_sandbox=False, actor=TESTER, at=NOON)
    assert row.channel.is_active is True


def test_a_step_back_loses_nothing(reached):
    assert setup.advance(reached, "summary").step == "summary"
    assert setup.advance(reached, "listings").step == "summary"
