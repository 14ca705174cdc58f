"""What rules ask for is written into the levels, with a change row for each, and only where something changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Category, SafetyChange, SafetyRule, StockLevel
from inventory.queries import safety as looks
from inventory.services import movements, safety, safety_rules, stock_import
from inventory.services.movements import Movement
from inventory.services.refusals import RowsRefused
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 1, 16, 0, tzinfo=UTC)  # when the 2nd of November began in Shanghai


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def pot():
    row = company.sku("POT")
    row.category = Category.objects.create(code="pots", name="锅")
    row.save()
    return row


@pytest.fixture
def here(cup, pot):
    node = company.node("SH")
    company.stock(cup, node, 100)
    company.stock(pot, node, 40)
    return node


@pytest.fixture
def there(cup):
    node = company.node("WH", "42")
    company.stock(cup, node, 11)
    return node


def draft(**columns):
    """Keep a draft for everything, five units unless told otherwise."""
    values = {"name": "Buffer", "kind": "fixed", "amount": Decimal(5)} | columns
    return safety_rules.save_draft(SafetyRule(**values), reason="peak", actor=TESTER, at=NOON)


def publish(at=NOON, replaces=None, **columns):
    rule = draft(**columns)
    safety_rules.publish(rule.pk, replaces=replaces, reason="peak", actor=TESTER, at=at)
    rule.refresh_from_db()
    return rule


def kept():
    rows = StockLevel.objects.order_by("sku__code", "node__code").values_list("sku__code", "node__code", "safety_stock")
    return {f"{sku}@{node}": units for sku, node, units in rows}


def changes():
    rows = SafetyChange.objects.order_by("pk").select_related("sku", "node", "rule")
    return [(f"{row.sku.code}@{row.node.code}", row.before, row.after, row.rule and row.rule.name, row.actor,
             row.changed_at) for row in rows]  # fmt: skip


def refused(deed):
    with pytest.raises(RowsRefused) as caught:
        deed()
    return [str(row.reason) for row in caught.value.rows]


# -- rules into levels -----------------------------------------------------------------------------


def test_a_published_rule_is_what_its_levels_keep_back(cup, pot, here, there):
    company.sku("LID")
    publish(name="Cups", sku=cup)
    assert kept() == {"CUP@SH": 5, "CUP@WH": 5, "POT@SH": 0}
    assert changes() == [
        ("CUP@SH", 0, 5, "Cups", "person:tester", NOON),
        ("CUP@WH", 0, 5, "Cups", "person:tester", NOON),
    ]


def test_the_narrowest_rule_decides_and_retiring_it_gives_way_to_the_next(cup, pot, here, there):
    publish(name="All", amount=Decimal(1))
    publish(name="Pots", category=pot.category, amount=Decimal(3))
    narrow = publish(name="Cups here", sku=cup, node=here, amount=Decimal(9))
    assert kept() == {"CUP@SH": 9, "CUP@WH": 1, "POT@SH": 3}
    applied = safety_rules.retire(narrow.pk, reason="over", actor=TESTER, at=NOON + HOUR)
    assert (applied.changed, applied.is_under_way) == (1, False)
    assert kept() == {"CUP@SH": 1, "CUP@WH": 1, "POT@SH": 3}
    assert changes()[-1] == ("CUP@SH", 9, 1, "All", "person:tester", NOON + HOUR)


def test_a_per_cent_follows_stock_with_the_next_refresh(cup, here, there):
    publish(kind="percent", amount=Decimal(10), sku=cup)
    assert kept() == {"CUP@SH": 10, "CUP@WH": 2, "POT@SH": 0}
    movements.record([Movement("R1", cup.pk, here.pk, MovementKind.RECEIPT, 1)], actor=TESTER, at=NOON + HOUR)
    assert kept()["CUP@SH"] == 10
    assert safety.refresh(at=NOON + HOUR) == 1
    assert kept()["CUP@SH"] == 11
    assert changes()[-1] == ("CUP@SH", 10, 11, "Buffer", "job:safety", NOON + HOUR)


def test_days_of_cover_count_what_left_in_the_last_28_whole_days(cup, here):
    days = [(-28, -28), (-1, -27), (-29, -500), (0, -40)]  # the window's first and last day, and just outside it
    moves = [Movement(f"S{day}", cup.pk, here.pk, MovementKind.SHIPMENT, units) for day, units in days if units != -500]
    company.stock(cup, here, 700)
    for move, (day, _units) in zip(moves, [d for d in days if d[1] != -500], strict=True):
        movements.record([move], actor=TESTER, at=MIDNIGHT + timedelta(days=day))
    early = Movement("early", cup.pk, here.pk, MovementKind.SHIPMENT, -500)
    movements.record([early], actor=TESTER, at=MIDNIGHT - timedelta(days=28, seconds=1))
    others = [
        Movement("out", cup.pk, here.pk, MovementKind.TRANSFER_OUT, -1),
        Movement("lost", cup.pk, here.pk, MovementKind.COUNT, -9),
    ]
    movements.record(others, actor=TESTER, at=MIDNIGHT - HOUR)
    publish(kind="days", amount=Decimal("1.5"), sku=cup)
    assert kept()["CUP@SH"] == 3  # 56 units in 28 days, 1.5 days of them


def test_a_rule_begins_and_ends_by_its_time(cup, here, there):
    publish(node=here, starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    told = []
    for at in (NOON + HOUR - timedelta(seconds=1), NOON + HOUR, NOON + 2 * HOUR):
        told.append((safety.refresh(at=at), kept()["CUP@SH"], kept()["CUP@WH"]))
    assert told == [(0, 0, 0), (2, 5, 0), (2, 0, 0)]
    assert [(level, before, after, rule) for level, before, after, rule, *_ in changes()] == [
        ("CUP@SH", 0, 5, "Buffer"), ("POT@SH", 0, 5, "Buffer"), ("CUP@SH", 5, 0, None), ("POT@SH", 5, 0, None),
    ]  # fmt: skip


def test_a_refresh_writes_only_what_changes(cup, here, there):
    publish()
    with CaptureQueriesContext(connection) as queries:
        assert safety.refresh(at=NOON + HOUR) == 0
    assert not [query for query in queries if "UPDATE" in query["sql"]]
    assert len(changes()) == 3


@pytest.mark.parametrize("page", [1, 2, 200])
def test_a_refresh_reaches_every_page(cup, here, there, monkeypatch, page):
    monkeypatch.setattr(safety, "SKUS_A_PAGE", page)
    monkeypatch.setattr(safety, "LEVELS_A_STEP", 1)
    publish()
    StockLevel.objects.update(safety_stock=77)
    assert safety.refresh(at=NOON) == 3
    assert kept() == {"CUP@SH": 5, "CUP@WH": 5, "POT@SH": 5}


def test_a_new_level_is_reached_by_the_next_refresh(cup, here):
    publish()
    company.stock(cup, company.node("GZ", "44"), 3)
    assert kept()["CUP@GZ"] == 0
    assert safety.refresh(at=NOON) == 1
    assert kept()["CUP@GZ"] == 5


# -- the level's own figure ------------------------------------------------------------------------


def test_the_own_figure_holds_where_no_rule_fits(cup, pot, here, there):
    publish(node=there, sku=cup)
    units = {(cup.pk, here.pk): 7, (cup.pk, there.pk): 8}
    assert safety.set_own(units, actor=TESTER, at=NOON) == 1
    assert kept() == {"CUP@SH": 7, "CUP@WH": 5, "POT@SH": 0}
    assert changes()[-1] == ("CUP@SH", 0, 7, None, "person:tester", NOON)
    safety_rules.retire(SafetyRule.objects.get().pk, reason="over", actor=TESTER, at=NOON + HOUR)
    assert kept()["CUP@WH"] == 8


@pytest.mark.parametrize("units", [-1, 100_000_001])
def test_an_own_figure_that_is_no_stock_changes_nothing(cup, here, there, units):
    wanted = {(cup.pk, here.pk): 3, (cup.pk, there.pk): units}
    said = refused(lambda: safety.set_own(wanted, actor=TESTER, at=NOON))
    assert said == ["Between 0 and 100000000 units can be kept back."]
    assert set(StockLevel.objects.values_list("own_safety_stock", "safety_stock")) == {(0, 0)}


def test_an_own_figure_of_a_level_that_is_not_there_changes_nothing(cup, pot, here, there):
    wanted = {(cup.pk, here.pk): 3, (pot.pk, there.pk): 3}
    said = refused(lambda: safety.set_own(wanted, actor=TESTER, at=NOON))
    assert said == ["POT was never in stock at WH."]
    assert set(StockLevel.objects.values_list("own_safety_stock", "safety_stock")) == {(0, 0)}


def test_an_imported_file_meets_the_rules_at_once(cup, pot, here):
    publish(kind="percent", amount=Decimal(10), node=here)
    far = company.node("WH", "42")
    publish(node=far)
    rows = iter([("sku", "node", "on_hand"), ("CUP", "SH", "61"), ("POT", "WH", "9")])
    document = stock_import.take_in(rows, file_name="1.csv", actor=TESTER, at=NOON + HOUR).document
    assert kept() == {"CUP@SH": 7, "POT@SH": 4, "POT@WH": 5}
    assert changes()[-2:] == [
        ("CUP@SH", 10, 7, "Buffer", "person:tester", NOON + HOUR),
        ("POT@WH", 0, 5, "Buffer", "person:tester", NOON + HOUR),
    ]
    stock_import.undo(document.pk, actor=TESTER, at=NOON + 2 * HOUR)
    assert kept()["CUP@SH"] == 10


# -- statements ------------------------------------------------------------------------------------


def test_settling_asks_as_often_for_three_levels_as_for_one(cup, here, there):
    SafetyRule.objects.create(name="x", amount=5, status="live", created_at=NOON, published_at=NOON)
    ids = list(StockLevel.objects.order_by("pk").values_list("pk", flat=True))
    counts = []
    for some in (ids[:1], ids[1:]):
        with CaptureQueriesContext(connection) as queries:
            assert safety.settle(some, actor=TESTER, at=NOON) == len(some)
        counts.append(len(queries))
    assert counts == [6, 6]  # savepoint and its end, lock, rules, levels, write


def test_the_rule_of_a_level_can_be_asked_for(cup, pot, here, there):
    wide, narrow = publish(name="All"), publish(name="Pots", category=pot.category)
    publish(name="Later", sku=cup, starts_at=NOON + HOUR)
    assert looks.rule_of(cup.pk, here.pk, at=NOON) == wide
    assert looks.rule_of(pot.pk, here.pk, at=NOON) == narrow
    safety_rules.retire(wide.pk, reason="over", actor=TESTER, at=NOON)
    assert looks.rule_of(cup.pk, here.pk, at=NOON) is None
