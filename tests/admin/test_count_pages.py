"""Counting at the desk: chosen by risk, blind until every line is settled, counted again by another person."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inventory.models import StockCount, StockLevel
from inventory.queries import risk
from inventory.services import counts
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
ADD = "/admin/inventory/stockcount/add/"
MAY_SEE, MAY_ACT, MAY_ADD = (f"inventory.{deed}_stockcount" for deed in ("view", "change", "add"))


@pytest.fixture
def dear(shop):
    """The two SKUs at SH with a cost: cups weigh more than lids."""
    _channel, cup, lid, near, _far = shop
    for sku, cost in ((cup, Decimal(30)), (lid, Decimal(20))):
        type(sku).objects.filter(pk=sku.pk).update(unit_cost=cost)
    return cup, lid, near


@pytest.fixture
def count(dear):
    """A count of cups and lids at SH that has begun."""
    row = StockCount(number="CT-1", node=dear[2], limit_percent=Decimal(5), limit_value=Decimal(100))
    return counts.begin(row, risks=risk.ranking(dear[2].pk), actor=TESTER, at=NOON)


@pytest.fixture
def second(db):
    """Another counter, in a browser of their own."""
    user = User.objects.create_user("second", "", "a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_stockcount", "change_stockcount"]))
    browser = Client()
    browser.force_login(user)
    return browser


def page(name, row):
    return reverse(f"admin:inventory_stockcount_{name}", args=[row.pk])


def tell(browser, row, **units):
    lines = {line.sku.code: line.pk for line in row.lines.select_related("sku")}
    told = {f"line-{lines[code]}-units": value for code, value in units.items()}
    return browser.post(page("count", row), {"go": "1"} | told)


def do(browser, verb, row):
    url = f"{reverse('admin:inventory_stockcount_verb', args=[verb])}?ids={row.pk}"
    return browser.post(url, {"go": "1"}, follow=True)


def standing(row):
    row.refresh_from_db()
    return row.status, list(row.lines.order_by("rank").values_list("sku__code", "status", "counted"))


def on_hand():
    return list(StockLevel.objects.filter(node__code="SH").order_by("sku__code").values_list("on_hand", flat=True))


OPEN = ("open", [("CUP", "open", None), ("LID", "open", None)])


def begun(cup, near, **change):
    return {"number": "CT-9", "node": near.pk, "limit_percent": "5", "limit_value": "500", "sku": [cup.pk]} | change


def test_the_list_to_choose_from_is_ranked_by_value_at_risk(desk, dear):
    assert desk.get(ADD).context["risks"] == []
    found = desk.get(f"{ADD}?node={dear[2].pk}").context["risks"]
    assert [(one.sku_code, name, one.value) for one, name in found] == [
        ("CUP", "CUP", Decimal(300)), ("LID", "LID", Decimal(200)),
    ]  # fmt: skip


def test_a_count_of_the_ticked_skus_begins_within_its_limits(desk, dear):
    cup, _lid, near = dear
    answer = desk.post(ADD, begun(cup, near, limit_percent="2.5", limit_value="90"))
    row = StockCount.objects.get()
    assert answer.url == page("change", row)
    assert (row.number, row.node, row.limit_percent, row.limit_value, row.opened_by) == (
        "CT-9", near, Decimal("2.50"), Decimal("90.00"), "person:boss",
    )  # fmt: skip
    assert standing(row) == ("open", [("CUP", "open", None)])


def test_the_same_form_sent_twice_is_one_count(desk, dear):
    for _time in range(2):
        assert desk.post(ADD, begun(dear[0], dear[2])).status_code == 302
    assert StockCount.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sku": []}, "There is nothing to count."),
        ({"sku": ["x", "99999999"]}, "A ticked SKU is not in the list any more"),
        ({"limit_percent": "101"}, "Ensure this value is less than or equal to 100."),
        ({"limit_value": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"number": ""}, "This field is required."),
    ],
    ids=["nothing ticked", "unknown", "per cent", "money", "no number"],
)
def test_a_count_that_cannot_be_is_refused_and_none_begins(desk, dear, change, words):
    answer = desk.post(ADD, begun(dear[0], dear[2], **change))
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert StockCount.objects.count() == 0


def test_what_is_being_counted_is_not_offered_and_not_counted_twice(desk, dear, count):
    assert desk.get(f"{ADD}?node={dear[2].pk}").context["risks"] == []
    answer = desk.post(ADD, begun(dear[0], dear[2]))
    assert "A ticked SKU is not in the list any more" in answer.content.decode()
    assert StockCount.objects.count() == 1


def test_a_number_of_another_node_is_refused(desk, shop, dear, count):
    answer = desk.post(ADD, begun(dear[0], shop[4], number="CT-1"))
    assert "Number CT-1 stands for another count." in answer.content.decode()
    assert StockCount.objects.count() == 1


def test_no_page_tells_the_counter_what_is_expected_before_all_is_settled(desk, dear, count):
    StockLevel.objects.filter(sku=dear[0], node=dear[2]).update(on_hand=7777)
    tell(desk, count, LID=9)
    for name in ("count", "change"):
        text = re.sub(r"<script.*?</script>", "", desk.get(page(name, count)).content.decode(), flags=re.DOTALL)
        assert "7777" not in text
        assert "Variance" not in text
    line = count.lines.get(sku__code="LID")
    assert (line.expected, line.counted) == (10, 9)
    [table] = desk.get(page("change", count)).context["tables"]
    assert [str(cell) for cell in table.rows[1][2:3]] == ["boss"]


def test_what_is_right_is_counted_once_and_nothing_is_corrected(desk, dear, count):
    assert tell(desk, count, CUP=10).url == page("count", count)
    assert standing(count) == ("open", [("CUP", "settled", 10), ("LID", "open", None)])
    assert tell(desk, count, LID=10).url == page("change", count)
    do(desk, "apply", count)
    assert (standing(count)[0], on_hand()) == ("applied", [10, 10])


def test_above_the_limit_another_person_counts_again_and_the_second_count_is_applied(desk, second, dear, count):
    tell(desk, count, CUP=4, LID=10)
    assert standing(count) == ("open", [("CUP", "recount", 4), ("LID", "settled", 10)])
    assert desk.get(page("count", count)).context["lines"] == []
    assert desk.get(page("count", count)).context["others"] == ["CUP"]
    answer = tell(desk, count, CUP=4)
    assert "CUP must be counted again by another person." in answer.content.decode()
    assert "CUP must be counted again by another person." in do(desk, "apply", count).content.decode()
    assert (standing(count)[0], on_hand()) == ("open", [10, 10])
    assert b"4" not in re.findall(rb"<tbody>.*?</tbody>", second.get(page("change", count)).content)
    tell(second, count, CUP=8)
    assert standing(count) == ("open", [("CUP", "settled", 8), ("LID", "settled", 10)])
    [table] = desk.get(page("change", count)).context["tables"]
    assert [re.sub("<[^>]+>", "", str(cell)) for cell in table.rows[0]] == [
        "CUP", "10", "8", "-2", "¥-60.00", "second", "4 boss",
    ]  # fmt: skip
    do(desk, "apply", count)
    count.refresh_from_db()
    assert (count.status, count.closed_by, on_hand()) == ("applied", "person:boss", [8, 10])
    do(desk, "apply", count)
    assert on_hand() == [8, 10]


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ({"CUP": -1}, "Ensure this value is greater than or equal to 0."),
        ({"CUP": "ten", "LID": 10}, "Enter a whole number."),
        ({"CUP": "", "LID": ""}, "Nothing was counted: fill in at least one field."),
    ],
    ids=["negative", "words", "nothing"],
)
def test_what_nobody_can_count_is_refused_and_nothing_is_kept(desk, count, units, words):
    answer = tell(desk, count, **units)
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert standing(count) == OPEN


def test_a_line_that_somebody_counted_meanwhile_is_refused_and_nothing_is_kept(desk, dear, count):
    counts.tell(count.pk, units={dear[0].pk: 10}, actor=TESTER, at=NOON)
    answer = tell(desk, count, CUP=9, LID=10)
    assert "CUP is counted already." in answer.content.decode()
    assert standing(count) == ("open", [("CUP", "settled", 10), ("LID", "open", None)])


def test_a_count_is_given_up_and_then_over(desk, count):
    tell(desk, count, LID=10)
    do(desk, "cancel", count)
    count.refresh_from_db()
    assert (count.status, on_hand()) == ("cancelled", [10, 10])
    assert desk.get(page("count", count)).url == page("change", count)
    assert "Count CT-1 is over." in tell(desk, count, CUP=10).content.decode()


def test_correcting_is_offered_only_when_all_is_settled(desk, count):
    def offered():
        return [button["verb"].name for button in desk.get(page("change", count)).context["verb_buttons"]]

    assert offered() == ["count", "cancel"]
    tell(desk, count, CUP=10, LID=10)
    assert offered() == ["apply", "cancel"]


def test_who_may_only_look_changes_nothing(clerk, dear, count):
    reader = clerk(MAY_SEE)
    assert reader.get(page("change", count)).status_code == 200
    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, begun(dear[0], dear[2])).status_code == 403
    assert reader.get(page("count", count)).status_code == 403
    assert tell(reader, count, CUP=1).status_code == 403
    assert do(reader, "apply", count).status_code == 403
    assert (standing(count), StockCount.objects.count()) == (OPEN, 1)


def test_beginning_and_counting_are_two_permissions(clerk, shop, dear, count):
    planner, counter = clerk(MAY_SEE, MAY_ADD), clerk(MAY_SEE, MAY_ACT)
    assert planner.post(ADD, begun(dear[0], shop[4])).status_code == 302
    assert tell(planner, count, CUP=10).status_code == 403
    assert tell(counter, count, CUP=10).status_code == 302
    assert counter.get(ADD).status_code == 403
