"""What channels could sell at a past moment: shares, their use and their nodes as they were then, to the unit."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from channels import queries
from channels.models import Channel
from inventory.models import ChannelShare, Node, PoolReplacement, PresaleChange, RemainingLife, Sku, StockLevel
from inventory.queries import by_channel, share_use, shares
from inventory.rules.ahead import Waiting
from inventory.services import adjustments, presales, reservations
from inventory.services import shares as verbs
from inventory.services.adjustments import Adjustment
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.inventory import dated
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def hour(n):
    return NOON + timedelta(hours=n)


def was_always(*models):
    """Let what these rows' histories say have begun before everything else here."""
    for model in models:
        model.history.update(history_date=hour(-24))


@pytest.fixture
def cup():
    """Twenty cups at SH and ten at WH, for JD, TM and WM; WM is served by WH only."""
    cup, sh, wh = company.sku("CUP"), company.node("SH"), company.node("WH", "42")
    company.stock(cup, sh, 20)
    company.stock(cup, wh, 10)
    for code in ("JD", "TM"):
        company.channel(code)
    company.channel("WM").nodes.add(wh)
    was_always(Channel, Node)
    return cup


def draft(sku, channel, kind, amount, **columns):
    return ChannelShare.objects.create(
        channel=channel, kind=kind, sku=sku, amount=Decimal(amount), created_at=NOON, created_by="x", **columns
    )


def publish(row, at):
    verbs.publish(row, actor=TESTER, at=at)
    return row


def take(key, channel, sku, node, units, at):
    want = Want(key, f"P-{key}", sku.pk, Node.objects.get(code=node).pk, units)
    reservations.reserve(Claim(key, (want,), channel=channel), at=at)


def figures(sku, at=None):
    """Return per channel: what its nodes can promise, what shares leave it, what it may sell."""
    served = {one.channel.code: one.node_ids for one in queries.selling(at=at)}
    found = by_channel.derive(sku.pk, served, on_date=timezone.localdate(at or NOON), at=at)
    return {one.channel: (one.at_nodes, one.share_room, one.value) for one in found}


def used(sku, at=None):
    """Return per channel: kind, allowed, reserved, sold, promised."""
    return {
        use.pool.channel: (
            use.pool.kind, int(use.pool.amount), use.pool.reserved, use.pool.sold, use.pool.promised
        )
        for use in share_use.derive(sku.pk, at=at)
    }  # fmt: skip


@pytest.fixture
def story(cup):
    """JD's twelve, used and sold; replaced by eight; ended; meanwhile TM is capped and gives one order back."""
    first = publish(draft(cup, "JD", "exclusive", 12), hour(1))
    take("a", "JD", cup, "SH", 5, hour(2))
    take("b", "TM", cup, "WH", 4, hour(2))
    reservations.consume(["P-a"], kind=MovementKind.SHIPMENT, actor=TESTER, at=hour(3))
    take("c", "JD", cup, "SH", 2, hour(3))
    publish(draft(cup, "TM", "capped", 6), hour(4))
    take("d", "TM", cup, "WH", 1, hour(4))
    second = publish(draft(cup, "JD", "exclusive", 8), hour(5))
    verbs.retire(first, actor=TESTER, at=hour(6))
    reservations.release(["P-c", "P-d"], at=hour(7))
    verbs.retire(second, actor=TESTER, at=hour(8))
    return cup


def test_shares_and_figures_at_every_moment(story):
    assert [figures(story, hour(n)) for n in (0, 1, 2, 3)] == [
        {"JD": (30, None, 30), "TM": (30, None, 30), "WM": (10, None, 10)},
        {"JD": (30, 30, 30), "TM": (30, 18, 18), "WM": (10, 18, 10)},
        {"JD": (21, 21, 21), "TM": (21, 14, 14), "WM": (6, 14, 6)},
        {"JD": (19, 19, 19), "TM": (19, 14, 14), "WM": (6, 14, 6)},
    ]
    assert [figures(story, hour(n)) for n in (4, 5, 6, 7, 8)] == [
        {"JD": (18, 18, 18), "TM": (18, 5, 5), "WM": (5, 13, 5)},
        {"JD": (18, 18, 18), "TM": (18, 5, 5), "WM": (5, 12, 5)},
        {"JD": (18, 18, 18), "TM": (18, 5, 5), "WM": (5, 12, 5)},
        {"JD": (21, 21, 21), "TM": (21, 6, 6), "WM": (6, 13, 6)},
        {"JD": (21, 21, 21), "TM": (21, 6, 6), "WM": (6, 21, 6)},
    ]


def test_how_much_of_each_share_was_used(story):
    assert [used(story, hour(n)) for n in (0, 1, 2, 3)] == [
        {},
        {"JD": ("exclusive", 12, 0, 0, 0)},
        {"JD": ("exclusive", 12, 5, 0, 0)},
        {"JD": ("exclusive", 12, 2, 5, 0)},
    ]
    assert [used(story, hour(n)) for n in (4, 5, 7, 8)] == [
        {"JD": ("exclusive", 12, 2, 5, 0), "TM": ("capped", 6, 1, 0, 0)},
        {"JD": ("exclusive", 8, 2, 0, 0), "TM": ("capped", 6, 1, 0, 0)},
        {"JD": ("exclusive", 8, 0, 0, 0), "TM": ("capped", 6, 0, 0, 0)},
        {"TM": ("capped", 6, 0, 0, 0)},
    ]
    first, second = ChannelShare.objects.filter(channel="JD").order_by("pk")
    [jd] = [use for use in share_use.derive(story.pk, at=hour(4)) if use.pool.channel == "JD"]
    assert (jd.share_id, jd.opened_at, jd.stored) == (first.pk, hour(1), None)
    [jd] = [use for use in share_use.derive(story.pk, at=hour(7)) if use.pool.channel == "JD"]
    assert (jd.share_id, jd.opened_at) == (second.pk, hour(5))


def test_the_rows_behind_a_share_then(story):
    jd, _tm = share_use.derive(story.pk, at=hour(4))
    rows = {name: share_use.rows_behind(jd, name, at=hour(4)) for name in share_use.NAMES}
    assert {name: [(row.reference, row.quantity, row.at) for row in found] for name, found in rows.items()} == {
        "reserved": [("P-c", 2, hour(3))], "sold": [("P-a", 5, hour(3))], "promised": [],
    }  # fmt: skip
    [then] = [use for use in share_use.derive(story.pk, at=hour(7)) if use.pool.channel == "JD"]
    assert [share_use.rows_behind(then, name, at=hour(7)) for name in share_use.NAMES] == [[], [], []]


def test_a_share_that_nothing_replaces_leaves_no_row(story):
    assert [(row.share.amount, row.opened_at, row.replaced_at) for row in PoolReplacement.objects.all()] == [
        (12, hour(1), hour(5))
    ]


def same_as_now(sku):
    """Return whether everything rebuilt from rows is what the hub works with at this moment."""
    at = timezone.now()
    derived = {use.pool.channel: use.pool for use in share_use.derive(sku.pk, at=at)}
    stored = shares.read([sku.pk]).get(sku.pk)
    assert derived == (stored.pools if stored else {})
    assert not any(use.differs for use in share_use.derive(sku.pk))
    served = {one.channel.code: one.node_ids for one in queries.selling()}
    assert served == {one.channel.code: one.node_ids for one in queries.selling(at=at)}
    day = timezone.localdate(NOON)
    now = by_channel.derive(sku.pk, served, on_date=day)
    assert by_channel.derive(sku.pk, served, on_date=day, at=at) == now
    return True


def test_as_of_now_is_what_is_now_after_every_step(cup):
    first = draft(cup, "JD", "borrowable", 12, lend_percent=50)
    percent = draft(cup, "TM", "exclusive", 25, unit="percent")
    node = Node.objects.get(code="WH")
    steps = (
        lambda: None,
        lambda: publish(first, hour(1)),
        lambda: take("a", "JD", cup, "SH", 5, hour(2)),
        lambda: publish(percent, hour(2)),
        lambda: take("b", "TM", cup, "WH", 3, hour(3)),
        lambda: reservations.consume(["P-a"], kind=MovementKind.SHIPMENT, actor=TESTER, at=hour(3)),
        lambda: reservations.move({"b": Node.objects.get(code="SH").pk}, channel="TM", at=hour(4)),
        lambda: adjustments.adjust([Adjustment("X", cup.pk, node.pk, -2, "lost")], actor=TESTER, at=hour(4)),
        lambda: publish(draft(cup, "JD", "capped", 7), hour(5)),
        lambda: take("c", "JD", cup, "SH", 2, hour(6)),
        lambda: Channel.objects.get(code="WM").nodes.set([Node.objects.get(code="SH")]),
        lambda: reservations.release(["P-b"], at=hour(7)),
        lambda: verbs.retire(percent, actor=TESTER, at=hour(8)),
    )
    assert all(step() is step or same_as_now(cup) for step in steps)


def test_it_is_seen_when_the_hub_has_counted_something_else(story):
    verbs.ChannelShare.objects.filter(channel="TM").get().pools.update(reserved=3)
    [tm] = share_use.derive(story.pk)
    assert (tm.differs, tm.pool.reserved, tm.stored) == (True, 0, {"reserved": 3, "sold": 0, "promised": 0})


def test_what_a_presale_had_promised_then(cup):
    lid = company.sku("LID")
    share = publish(draft(lid, "TM", "presale", 50, ships_from_date=NOON.date()), hour(1))
    wants = [("TM", Waiting(name, 1, lid.pk, units, 0, NOON)) for name, units in (("A", 20), ("B", 5))]
    presales.promise(wants, at=hour(2))
    presales.forget(["A"], at=hour(3))
    presales.promise(wants[:1], at=hour(3))  # taken back and made anew at one moment: no row
    presales.forget(["B"], at=hour(4))
    assert [used(lid, hour(n)).get("TM") for n in (0, 1, 2, 3, 4)] == [
        None, ("presale", 50, 0, 0, 0), ("presale", 50, 0, 0, 25), ("presale", 50, 0, 0, 25), ("presale", 50, 0, 0, 20),
    ]  # fmt: skip
    assert [figures(lid, hour(n))["TM"] for n in (1, 2, 4)] == [(0, 0, 50), (0, 0, 25), (0, 0, 30)]
    kept = PresaleChange.objects.order_by("changed_at", "reference").values_list("reference", "quantity", "changed_at")
    assert list(kept) == [("A", 20, hour(2)), ("B", 5, hour(2)), ("B", -5, hour(4))]
    [use] = share_use.derive(lid.pk, at=hour(4))
    assert [(row.reference, row.quantity) for row in share_use.rows_behind(use, "promised", at=hour(4))] == [
        ("B", -5), ("B", 5), ("A", 20),
    ]  # fmt: skip
    assert (use.share_id, same_as_now(lid)) == (share.pk, True)


def test_which_channels_sold_and_from_where_then(cup):
    tm, wm = Channel.objects.get(code="TM"), Channel.objects.get(code="WM")
    sh, wh = Node.objects.get(code="SH"), Node.objects.get(code="WH")
    wm.nodes.set([sh])
    wm.history.exclude(history_date=hour(-24)).update(history_date=hour(2))
    tm.is_active = False
    tm.save()
    tm.history.exclude(history_date=hour(-24)).update(history_date=hour(3))
    company.channel("NEW")
    Channel.history.filter(code="NEW").update(history_date=hour(4))
    Channel.objects.create(code="QM", name="QM", platform="qimen", adapter="qimen")
    wh.is_active = False
    wh.save()
    wh.history.exclude(history_date=hour(-24)).update(history_date=hour(5))
    told = [{one.channel.code: one.node_ids for one in queries.selling(at=hour(n))} for n in (-25, 1, 2, 3, 4)]
    assert told == [
        {},
        {"JD": None, "TM": None, "WM": {wh.pk}},
        {"JD": None, "TM": None, "WM": {sh.pk}},
        {"JD": None, "WM": {sh.pk}},
        {"JD": None, "NEW": None, "WM": {sh.pk}},
    ]
    assert [figures(cup, hour(n))["JD"][0] for n in (4, 5)] == [30, 20]
    assert [one.channel.code for one in queries.selling()] == ["JD", "NEW", "WM"]


def test_goods_that_were_not_fresh_enough_then(cup):
    milk = dated.milk()
    sh = Node.objects.get(code="SH")
    soon, late = dated.lot(milk, "S", dated.after(3)), dated.lot(milk, "L", dated.after(90))
    dated.put(soon, sh, 6)
    dated.put(late, sh, 10)
    rule = RemainingLife.objects.create(channel="TM", days=30)
    was_always(Sku, RemainingLife)
    take("m", "JD", milk, "SH", 4, hour(1))
    rule.delete()
    RemainingLife.history.filter(history_type="-").update(history_date=hour(3))
    assert [figures(milk, hour(n))["TM"][0] for n in (0, 1, 3, 100)] == [10, 10, 12, 10]
    assert [figures(milk, hour(n))["JD"][0] for n in (0, 1, 3, 100)] == [16, 12, 12, 10]
    assert same_as_now(milk)


def test_a_bundle_then_is_what_its_parts_were(story):
    """A bundle has no stock, so no figure of its own: its parts are asked for the same moment."""
    bundle = company.sku("SET", parts={story: 2})
    assert figures(bundle, hour(2))["JD"] == (0, None, 0)
    assert figures(story, hour(2))["JD"] == (21, 21, 21)


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_queries_does_not_grow(story, django_assert_num_queries, count):
    for n in range(count):
        company.channel(f"N{n}")
        company.stock(story, company.node(f"NODE{n}"), 1)
        publish(draft(story, f"N{n}", "exclusive", 1), hour(1))
    Channel.history.update(history_date=hour(-24))
    with django_assert_num_queries(2):
        found = queries.selling(at=hour(4))
    assert len(found) == 3 + count
    with django_assert_num_queries(8):  # levels, four figures, active nodes, lots, shares
        by_channel.derive(story.pk, {one.channel.code: None for one in found}, on_date=NOON.date(), at=hour(4))
    assert StockLevel.objects.filter(sku=story).count() == 2 + count


def test_what_was_promised_before_anybody_kept_its_past_is_where_it_begins(cup):
    """What the migrations take over: a presale's open promises, and the nodes that a channel has."""
    publish(draft(cup, "TM", "presale", 50, ships_from_date=NOON.date()), hour(1))
    presales.promise([("TM", Waiting(name, 1, cup.pk, 7, 0, NOON)) for name in ("A", "B")], at=hour(2))
    wm = Channel.objects.get(code="WM")
    PresaleChange.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM channels_historicalchannel_nodes")
        assert [one.node_ids for one in queries.selling(at=hour(1)) if one.channel == wm] == [None]
        cursor.execute(import_module("inventory.migrations.0015_share_past_so_far").KEEP)
        cursor.execute(import_module("channels.migrations.0008_nodes_so_far").KEEP)
    assert used(cup, hour(2))["TM"] == ("presale", 50, 0, 0, 14)
    nodes = {Node.objects.get(code="WH").pk}
    assert [one.node_ids for one in queries.selling(at=hour(1)) if one.channel == wm] == [nodes]
    assert same_as_now(cup)
