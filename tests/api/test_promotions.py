"""Quotes and live promotions through the API: a dry run that takes nothing, with reasons in the reader's language."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from guardian.shortcuts import assign_perm

from promotions.models import Allowance, Coupon, Redemption, Scope
from promotions.rules.conditions import OnChannel
from promotions.rules.rewards import SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests.orders.services import scenes
from tests.promotions.services.scenes import live
from tests.small_company import order_message

QUOTES, PROMOTIONS = "/api/v1/quotes", "/api/v1/promotions/"
SAVE_5 = SpendAndSave((Step(Decimal(20), Decimal(5)),))


@pytest.fixture
def shop(hub):
    hub.channel.is_priced_here = True
    hub.channel.save()
    return hub


@pytest.fixture
def asker(client_with):
    return client_with("promotions.view_promotion")


def basket(reference="a", quantity=2, **facts):
    lines = [{"sku": "CUP", "quantity": quantity, "unit_price": "10.00"}]
    return {"reference": reference, "channel": "JD", "lines": lines} | facts


def ask(client, *baskets):
    return client.post(QUOTES, {"baskets": list(baskets)}, format="json")


def test_a_quote_says_what_it_costs_and_why_and_takes_nothing(shop, asker):
    version = live("SAVE", Rule(reward=SAVE_5, needs_coupon=True, limits=Limits(most_uses=1)))
    Coupon.objects.create(code="HI", promotion=version.promotion, most_uses=1)
    answer = ask(asker, basket(coupons=["h-i"]), basket("b"))
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert first == {
        "reference": "a", "goods": "20.00", "discount": "5.00", "shipping": "0.00", "total": "15.00", "gifts": [],
        "is_exact": True,
        "lines": [{"line_number": 1, "gross": "20.00", "discount": "5.00", "net": "15.00",
                   "grants": [{"code": "SAVE", "amount": "5.00"}]}],
        "verdicts": [{"code": "SAVE", "version": 1, "outcome": "applied", "why": "It takes 5.00 off.",
                      "amount": "5.00"}],
    }  # fmt: skip
    assert (second["total"], second["verdicts"][0]["outcome"]) == ("20.00", "no_coupon")
    assert (Allowance.objects.get(buyer="").uses, Coupon.objects.get().taken, Redemption.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"channel": "NO"}, "unknown_channel", "channel"),
        ({"lines": [{"sku": "NO", "quantity": 1, "unit_price": "1"}]}, "unknown_sku", "sku"),
        ({"lines": []}, "invalid", "baskets"),
        ({"lines": [{"sku": "CUP", "quantity": 0, "unit_price": "1"}]}, "invalid", "baskets"),
        ({"lines": [{"sku": "CUP", "quantity": 1, "unit_price": "-1"}]}, "invalid", "baskets"),
    ],
)
def test_what_cannot_be_quoted_is_refused_with_its_field(shop, asker, change, code, field):
    answer = ask(asker, basket() | change)
    assert (answer.status_code, answer["content-type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == (code, field)


def test_a_hundred_baskets_are_the_most(shop, asker):
    assert ask(asker, *(basket() for _n in range(100))).status_code == 200
    assert ask(asker, *(basket() for _n in range(101))).status_code == 400


def test_a_login_alone_asks_nothing(shop, client_with):
    client = client_with("orders.view_order")
    assert ask(client, basket()).status_code == 403
    assert client.get(PROMOTIONS).status_code == 403


def test_live_promotions_are_told_as_sentences(shop, asker):
    version = live("SAVE", Rule(reward=SAVE_5))
    (told,) = asker.get(PROMOTIONS).json()
    assert (told["code"], told["version"], told["lane"], told["needs_coupon"]) == ("SAVE", 1, "order", False)
    assert "¥20" in told["sentence"]
    assert "¥5" in told["sentence"]
    assert told["live_at"].startswith(version.live_at.date().isoformat())
    assert asker.get(PROMOTIONS, {"x": 1}).status_code == 400


def test_an_order_tells_its_pricing(shop, client_with):
    live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 2}))
    told = client_with("orders.view_order").get("/api/v1/orders/JD-1/").json()
    assert told["pricing"]["verdicts"] == [
        {"code": "SAVE", "version": 1, "outcome": "applied", "why": "It takes 5.00 off.", "amount": "5.00"}
    ]
    assert (told["pricing"]["amount"], told["lines"][0]["promotion_amount"]) == ("5.00", "5.00")


def test_an_order_from_before_promotions_has_no_pricing(shop, client_with):
    shop.take(order_message("1", {"CUP": 2}))
    assert client_with("orders.view_order").get("/api/v1/orders/JD-1/").json()["pricing"] is None
    assert scenes.order().total_amount == Decimal(20)


def test_the_order_page_says_why_the_price(shop, admin_client):
    live("SAVE", Rule(reward=SAVE_5))
    shop.take(order_message("1", {"CUP": 2}))
    page = admin_client.get(f"/admin/orders/order/{scenes.order().pk}/change/").content.decode()
    assert "Why this price" in page
    assert "It takes 5.00 off." in page


def test_whoever_answers_for_a_channel_reads_what_is_live_on_it_only(shop, client_with):
    live("OURS", Rule(reward=SAVE_5, condition=OnChannel(("JD",))))
    live("ALL", Rule(reward=SAVE_5))
    client = client_with()
    assert client.get(PROMOTIONS).status_code == 403
    assign_perm("write_in_scope", User.objects.latest("pk"), Scope.objects.create(kind="channel", code="JD"))
    assert [one["code"] for one in client.get(PROMOTIONS).json()] == ["OURS"]
    assert ask(client, basket()).status_code == 403
