"""Levels are corrected, held back and added to by hand; goods with lots may be named by theirs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.admin import level_forms
from inventory.models import Lot, QualityHold, StockLevel, StockMovement
from inventory.services import lot_repair
from tests.admin.reading import words_of
from tests.inventory.dated import after, level, lot, lying, put
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LATER = timezone.localdate() + timedelta(days=2)


@pytest.fixture
def dated(shop):
    """Give the cup lots: what lies there is unlabelled, and three units of a lot come to the near node."""
    _channel, cup, _lid, near, far = shop
    lot_repair.start(cup.pk, reason="dates", actor=TESTER, at=NOON)
    put(lot(cup, "SOON", after(5)), near, 3)
    put(lot(cup, "LATE", after(90)), near, 4)
    put(lot(cup, "AWAY", after(40)), far, 2)
    return cup, near


def row(what, where):
    return StockLevel.objects.get(sku=what, node=where)


def page(rows, name):
    return f"/admin/inventory/stocklevel/do/{name}/?ids={','.join(str(one.pk) for one in rows)}&next=/admin/"


def do(browser, rows, name, **told):
    return browser.post(page(rows, name), {"key": "K1"} | told, follow=True)


def offered(browser, what, where, name):
    return browser.get(page([row(what, where)], name)).context["form"].fields["lot"].choices


def text(response):
    return " ".join(words_of(response.content.decode()))


def facts(name, **told):
    """Return what a deed must be told at least."""
    known = {
        "adjust": {"units": "-2", "reason": "lost"},
        "hold-back": {"units": "2", "reason": "suspected", "owner": "li", "ends_date": f"{LATER:%Y-%m-%d}"},
        "take-back": {"units": "2", "reference": "RMA-1", "owner": "li"},
    }
    return known[name] | told


def untouched():
    return (StockMovement.objects.count(), QualityHold.objects.count())


NAMES = pytest.mark.parametrize("name", ["adjust", "hold-back", "take-back"])


# -- which lots are offered ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lots"),
    [
        ("adjust", ["LATE, until {90}, 4 free here", "AWAY, until {40}, 0 free here", "SOON, until {5}, 3 free here",
                    "unlabelled, no date, 10 free here"]),
        ("hold-back", ["LATE, until {90}, 4 free here", "SOON, until {5}, 3 free here",
                       "unlabelled, no date, 10 free here"]),
        ("take-back", ["LATE, until {90}, 4 free here", "AWAY, until {40}, 0 free here", "SOON, until {5}, 3 free here",
                       "unlabelled, no date, 10 free here"]),
    ],
)  # fmt: skip
def test_lots_are_offered_the_one_that_keeps_longest_first(desk, dated, name, lots):
    days = {f"{{{days}}}": f"{after(days)}" for days in (5, 40, 90)}
    for place, day in days.items():
        lots = [words.replace(place, day) for words in lots]
    choices = offered(desk, *dated, name)
    assert choices[0][0] == ""
    assert [words for _pk, words in choices[1:]] == lots


def test_of_very_many_lots_those_that_keep_longest_are_offered(desk, dated, monkeypatch):
    cup, near = dated
    monkeypatch.setattr(level_forms, "MOST_LOTS", 3)
    answer = desk.get(page([row(cup, near)], "adjust"))
    codes = [words.split(",")[0] for _pk, words in answer.context["form"].fields["lot"].choices[1:]]
    assert codes == ["LATE", "AWAY", "SOON"]
    assert "The 3 that keep longest are offered." in text(answer)


def test_the_form_asks_as_often_for_many_lots_as_for_one(desk, dated):
    cup, near = dated
    counts = []
    for days in (7, 8, 9):
        put(lot(cup, f"L{days}", after(days)), near, 1)
        desk.get(page([row(cup, near)], "adjust"))
        with CaptureQueriesContext(connection) as queries:
            desk.get(page([row(cup, near)], "adjust"))
        counts.append(len(queries))
    assert len(set(counts)) == 1


@NAMES
def test_a_sku_without_lots_is_not_asked_for_one(desk, shop, dated, name):
    _channel, cup, lid, near, far = shop
    assert "lot" not in desk.get(page([row(lid, near)], name)).context["form"].fields
    assert "lot" not in desk.get(page([row(cup, near), row(cup, far)], name)).context["form"].fields
    said = text(desk.get(page([row(lid, near)], name)))
    assert "LID at SH: 10 on hand, 0 reserved, 0 held." in said


# -- what comes of it ------------------------------------------------------------------------------


def test_units_of_a_named_lot_are_adjusted(desk, dated):
    cup, near = dated
    late = Lot.objects.get(code="LATE")
    for _twice in range(2):
        said = text(do(desk, [row(cup, near)], "adjust", **facts("adjust", lot=late.pk, note="shelf 4")))
        assert "The change is written." in said
    assert lying(cup, near) == {"": (10, 0, 0), "LATE": (2, 0, 0), "SOON": (3, 0, 0)}
    assert level(cup, near) == (15, 0, 0)
    move = StockMovement.objects.get(kind="adjustment")
    assert (move.lot, move.quantity, move.reason, move.actor) == (late, -2, "lost: shelf 4", "person:boss")


def test_found_units_may_be_of_a_lot_that_lay_elsewhere(desk, dated):
    cup, near = dated
    away = Lot.objects.get(code="AWAY")
    do(desk, [row(cup, near)], "adjust", **facts("adjust", units="3", reason="found", lot=away.pk))
    assert lying(cup, near) == {"": (10, 0, 0), "AWAY": (3, 0, 0), "LATE": (4, 0, 0), "SOON": (3, 0, 0)}


def test_without_a_lot_what_is_gone_is_of_those_that_expire_first(desk, dated):
    cup, near = dated
    do(desk, [row(cup, near)], "adjust", **facts("adjust", units="-4", lot=""))
    assert lying(cup, near) == {"": (10, 0, 0), "LATE": (3, 0, 0), "SOON": (0, 0, 0)}


def test_units_of_a_named_lot_are_held_back(desk, dated):
    cup, near = dated
    late = Lot.objects.get(code="LATE")
    said = text(do(desk, [row(cup, near)], "hold-back", **facts("hold-back", lot=late.pk)))
    assert "The units are held back." in said
    assert lying(cup, near) == {"": (10, 0, 0), "LATE": (4, 0, 2), "SOON": (3, 0, 0)}
    hold = QualityHold.objects.get()
    assert (hold.lot, hold.quantity, hold.owner, hold.opened_by) == (late, 2, "li", "person:boss")
    assert timezone.localtime(hold.ends_at).isoformat()[:16] == f"{LATER + timedelta(days=1)}T00:00"


@pytest.mark.parametrize(
    ("code", "then"),
    [
        ("SOON", {"": (10, 0, 0), "LATE": (4, 0, 0), "SOON": (5, 0, 2)}),
        (None, {"": (12, 0, 2), "LATE": (4, 0, 0), "SOON": (3, 0, 0)}),
    ],
)
def test_returned_units_are_of_the_lot_that_was_named_or_unlabelled(desk, dated, code, then):
    cup, near = dated
    named = Lot.objects.get(code=code).pk if code else ""
    said = text(do(desk, [row(cup, near)], "take-back", **facts("take-back", lot=named)))
    assert "The units are in stock and wait for inspection." in said
    assert lying(cup, near) == then
    assert StockMovement.objects.filter(kind="return").values_list("reference", "quantity").get() == ("RMA-1", 2)


def test_returned_units_are_inspected_and_keep_their_lot(desk, dated):
    cup, near = dated
    do(desk, [row(cup, near)], "take-back", **facts("take-back", lot=Lot.objects.get(code="SOON").pk))
    hold = QualityHold.objects.get()
    url = f"/admin/inventory/qualityhold/do/inspect/?ids={hold.pk}"
    desk.post(url, {"good": 1, "bad": 1, "reason": "as_new", "note": ""})
    assert lying(cup, near)["SOON"] == (5, 0, 2)  # what is as new is not scrapped
    said = text(desk.post(url, {"good": 1, "bad": 1, "reason": "defective", "note": "torn"}, follow=True))
    assert "Inspected." in said
    assert lying(cup, near) == {"": (10, 0, 0), "LATE": (4, 0, 0), "SOON": (4, 0, 0)}
    assert StockMovement.objects.get(key__startswith="scrap:").reason == "defective: torn"


def test_a_sku_without_lots_is_adjusted_at_several_nodes(desk, shop):
    _channel, cup, _lid, near, far = shop
    do(desk, [row(cup, near), row(cup, far)], "adjust", **facts("adjust"))
    assert [level(cup, node) for node in (near, far)] == [(8, 0, 0), (8, 0, 0)]


# -- what is refused -------------------------------------------------------------------------------


@NAMES
def test_the_lot_of_another_sku_is_refused_beside_its_field(desk, shop, dated, name):
    cup, near = dated
    lid = shop[2]
    lot_repair.start(lid.pk, reason="dates", actor=TESTER, at=NOON)
    foreign, before = lot(lid, "LID-1", after(9)), untouched()
    answer = do(desk, [row(cup, near)], name, **facts(name, lot=foreign.pk))
    assert list(answer.context["form"].errors) == ["lot"]
    assert untouched() == before
    assert lying(cup, near) == {"": (10, 0, 0), "LATE": (4, 0, 0), "SOON": (3, 0, 0)}


@NAMES
def test_a_lot_named_for_a_sku_without_lots_is_not_heard(desk, shop, dated, name):
    lid, near = shop[2], shop[3]
    do(desk, [row(lid, near)], name, **facts(name, lot=Lot.objects.get(code="LATE").pk))
    assert set(StockMovement.objects.filter(sku=lid).values_list("lot", flat=True)) == {None}
    assert set(QualityHold.objects.values_list("lot", flat=True)) <= {None}


@pytest.mark.parametrize("name", ["adjust", "hold-back"])
def test_more_than_a_lot_has_is_refused_with_its_reason(desk, dated, name):
    cup, near = dated
    units, before = {"adjust": "-5", "hold-back": "5"}[name], untouched()
    said = text(do(desk, [row(cup, near)], name, **facts(name, units=units, lot=Lot.objects.get(code="LATE").pk)))
    assert "CUP@SH : CUP at SH has not that many free units." in said
    assert untouched() == before
    assert level(cup, near) == (17, 0, 0)


@pytest.mark.parametrize(
    ("name", "wrong", "field"),
    [
        ("adjust", {"units": ""}, "units"),
        ("adjust", {"reason": "recall"}, "reason"),
        ("hold-back", {"units": "0"}, "units"),
        ("hold-back", {"owner": ""}, "owner"),
        ("hold-back", {"reason": "inspection"}, "reason"),  # only returns wait for it
        ("take-back", {"units": "-1"}, "units"),
        ("take-back", {"reference": ""}, "reference"),
    ],
)
def test_bad_input_is_said_beside_its_field_and_nothing_is_done(desk, dated, name, wrong, field):
    cup, near = dated
    before = untouched()
    answer = do(desk, [row(cup, near)], name, **facts(name, **wrong))
    assert list(answer.context["form"].errors) == [field]
    assert untouched() == before


def test_a_refusal_of_one_level_keeps_all_as_they_were(desk, shop):
    _channel, cup, lid, near, far = shop
    StockLevel.objects.filter(sku=cup, node=far).update(on_hand=1)
    said = text(do(desk, [row(cup, near), row(cup, far), row(lid, near)], "adjust", **facts("adjust")))
    assert "CUP@WH : CUP at WH has not that many free units." in said
    assert [level(cup, near)[0], level(cup, far)[0], level(lid, near)[0]] == [10, 1, 10]


@NAMES
def test_those_who_may_only_look_change_nothing(clerk, dated, name):
    cup, near = dated
    before = untouched()
    assert do(clerk("inventory.view_stocklevel"), [row(cup, near)], name, **facts(name)).status_code == 403
    assert untouched() == before
