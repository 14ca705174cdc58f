"""What to refund, asked through the API: a dry run with its reasons."""

from decimal import Decimal as D

import pytest

from orders.models import Order, Refund
from promotions.rules.conditions import Amount
from promotions.rules.rewards import Gift, Item, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests import small_company as company
from tests.orders.services import scenes
from tests.promotions.services.scenes import live
from tests.small_company import NOON, order_message

URL = "/api/v1/orders/JD-1/refund-quote/"


@pytest.fixture
def shop(hub):
    hub.channel.is_priced_here = True
    hub.channel.save()
    company.stock(company.sku("GIFT"), hub.near, 5)
    live("SAVE", Rule(reward=SpendAndSave((Step(D(20), D(5)),))))
    live("THREE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(D(25)), limits=Limits(most_uses=9)))
    hub.take(order_message("1", {"CUP": 2, "LID": 1}))
    return hub


def ask(client, *lines, url=URL):
    told = [{"line_number": number, "quantity": units} for number, units in lines]
    return client.post(url, {"lines": told}, format="json")


def test_units_that_come_back_are_answered_with_every_figure_and_its_reason(shop, reader):
    before = scenes.everything()
    answer = ask(reader, (1, 2))
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "order": "JD-1", "currency": "CNY", "is_suggestion": False, "amount": "15.00", "amount_without_gifts": "5.00",
        "paid": "25.00", "remaining": "10.00", "earlier": "0.00", "price": "16.67",
        "lines": [{"line_number": 1, "sku": "CUP", "came_back": 0, "quantity": 2, "price": "16.67"}],
        "changes": [
            {"code": "SAVE", "version": 1, "before": "5.00", "after": "0.00",
             "why": "Its goods come to 10.00; they need 20.00."},
            {"code": "THREE", "version": 1, "before": "0.00", "after": "0.00",
             "why": "The basket comes to 10.00; it needs 25.00."},
        ],
        "gifts": [{"sku": "GIFT", "quantity": 1, "promotion": "THREE", "charge": "10.00"}],
        "reasons": [
            "In this order the units cost 16.67.",
            "SAVE gave 5.00; without them it gives 0.00: Its goods come to 10.00; they need 20.00.",
            "THREE gave 0.00; without them it gives 0.00: The basket comes to 10.00; it needs 25.00.",
            "The order cost 25.00; what stays costs 10.00.",
        ],
        "warnings": [],
    }  # fmt: skip
    assert scenes.everything() == before


def test_a_get_answers_for_all_that_can_come_back(shop, reader):
    answer = reader.get(URL).json()
    assert (answer["amount"], answer["gifts"]) == ("25.00", [])
    assert [line["quantity"] for line in answer["lines"]] == [2, 1, 1]
    Refund.objects.create(order=Order.objects.get(), external_id="R", status="refunded", amount=D(10),
                          lines=[{"line": "2", "quantity": 1}], received_at=NOON)  # fmt: skip
    answer = reader.get(URL).json()
    assert (answer["amount"], answer["earlier"]) == ("15.00", "10.00")
    assert [line["line_number"] for line in answer["lines"]] == [1, 3]


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [(((1, 3),), "cannot_come_back", "Of line 1 2 units can come back."),
     (((1, 2), (1, 1)), "cannot_come_back", "Of line 1 2 units can come back."),
     (((9, 1),), "cannot_come_back", "The order has no line 9 that could come back."),
     (((1, 0),), "invalid", ""), ((), "invalid", "")],
)  # fmt: skip
def test_what_cannot_come_back_is_a_problem_with_its_reason(shop, reader, lines, code, words):
    answer = ask(reader, *lines)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_an_unknown_number_and_a_missing_right_are_refused(shop, reader, client_with):
    assert ask(reader, (1, 1), url="/api/v1/orders/JD-9/refund-quote/").status_code == 404
    assert reader.get(f"{URL}?lines=1").json()["code"] == "unknown_parameter"
    stranger = client_with("promotions.view_promotion")
    assert (ask(stranger, (1, 1)).status_code, stranger.get(URL).status_code) == (403, 403)


def test_an_order_whose_number_has_a_slash_is_found_and_the_order_itself_too(shop, reader):
    Order.objects.update(number="JD-1/A")
    assert reader.get("/api/v1/orders/JD-1/A/refund-quote/").json()["order"] == "JD-1/A"
    assert reader.get("/api/v1/orders/JD-1/A/").json()["number"] == "JD-1/A"


def test_the_answer_speaks_the_language_of_the_request(shop, reader):
    answer = reader.post(URL, {"lines": [{"line_number": 1, "quantity": 2}]}, format="json",
                         headers={"accept-language": "zh-CN"})  # fmt: skip
    assert answer.json()["changes"][0]["why"] == "活动商品金额为 10.00；需达到 20.00。"
