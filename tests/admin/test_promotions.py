"""Promotions at the desk: built by a form, approved by somebody else, stopped by one person."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from audit.models import ApprovalRequest
from inventory.models import Sku
from orders.models import Customer
from orders.services import backtests
from promotions.admin.builder_forms import RuleForm, initial_of
from promotions.admin.conditions_field import can_show
from promotions.admin.kinds import KINDS, kind_of
from promotions.models import Promotion, PromotionVersion, Scope
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.goods import Goods
from promotions.rules.rule import Limits, Rule, from_json
from tests import small_company as company

pytestmark = pytest.mark.django_db
LIST = reverse("admin:promotions_promotion_changelist")
ADD = reverse("admin:promotions_promotion_add")
PREVIEW = reverse("admin:promotions_promotion_preview")
WORDS = reverse("admin:promotions_promotion_words")
GIFT = {
    "code": "EAST-300", "name": "华东满赠", "name_en": "East gift", "kind": "gift",
    "condition-0-mode": "all", "condition-0-0-what": "amount", "condition-0-0-least": "300",
    "condition-0-1-what": "ships_to", "condition-0-1-words": "east",
    "items-0-sku": "SAMPLE-B", "items-0-quantity": "1", "choice": "all", "most_times": "1", "most_uses": "1000",
    "returns_uses": "on",
}  # fmt: skip
EAST = Rule(
    reward=r.Gift((r.Item("SAMPLE-B"),)), condition=c.All((c.Amount(D(300)), c.ShipsTo(("east",)))),
    limits=Limits(most_uses=1000),
)  # fmt: skip


@pytest.fixture
def goods(db):
    cup, sample = company.sku("CUP"), company.sku("SAMPLE-B")
    node = company.node("SH")
    company.stock(cup, node, 10)
    company.stock(sample, node, 10)
    return cup, sample


def browser(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, "", "a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def author(goods):
    return browser("author", "add_promotion", "change_promotion", "view_promotion")


@pytest.fixture
def approver(db):
    return browser("approver", "view_promotion", "approve_promotionversion", "stop_promotionversion")


def build(client, **changes):
    answer = client.post(f"{ADD}?kind=gift", GIFT | changes)
    assert answer.status_code == 302, answer.content.decode()
    return PromotionVersion.objects.get()


def deed(client, version, name, **told):
    url = reverse("admin:promotions_promotion_deed", args=[version.promotion_id, version.number, name])
    facts = {"reason": "for the festival", "read_digest": version.digest} | told
    answer = client.post(url, facts, follow=True)
    version.refresh_from_db()
    return answer


def page(client, version):
    return client.get(reverse("admin:promotions_promotion_change", args=[version.promotion_id])).content.decode()


def test_the_cards_lead_to_a_form_for_each_kind(author):
    shown = author.get(ADD).content.decode()
    for kind in KINDS:
        assert f"?kind={kind}" in shown
        assert author.get(f"{ADD}?kind={kind}").status_code == 200


def test_a_form_becomes_a_draft(author):
    version = build(author)
    assert (version.status, version.number, version.author.username) == ("draft", 1, "author")
    assert from_json(version.body) == EAST
    assert Promotion.objects.get().history.get().history_change_reason == "person:author: begun"


def test_a_code_is_given_once(author):
    build(author)
    answer = author.post(f"{ADD}?kind=gift", GIFT)
    assert "The code EAST-300 exists already." in answer.content.decode()
    assert PromotionVersion.objects.count() == 1


@pytest.mark.parametrize(
    "reward",
    [
        r.SpendAndSave((r.Step(D(200), D(20)), r.Step(D(400), D(60))), most=D(99)), r.ItemOff(D(20)), r.NthOff(),
        r.NForPrice(3, D(99), Goods(categories=("cups",), except_skus=("LID",))),
        r.BundlePrice((r.Item("CUP"), r.Item("LID", 2)), D(15)), r.MemberPrice((r.SkuPrice("CUP", D(8)),)),
        r.Gift((r.Item("CUP"), r.Item("LID")), r.Choice.BUYER, every=D(100), most_times=3), r.FreeShipping(D(8)),
        r.BuyGet(Goods(skus=("CUP",)), (r.Item("LID"),), most_times=2), r.Deposit(D(10), D(30)),
        r.BuyGetOff(Goods(skus=("CUP",)), Goods(brands=("Oak",)), most_times=1), r.PurchaseLimit(5, 30),
    ],
    ids=lambda reward: type(reward).__name__,
)  # fmt: skip
def test_every_kind_comes_back_from_its_form_as_it_was(reward):
    weekend, not_there = c.Any((c.ShipsTo(("east",)), c.OnWeekdays((6, 7)))), c.Not(c.OnChannel(("JD",)))
    condition = c.All((c.Member(("gold",)), weekend, not_there))
    told = Rule(reward=reward, condition=condition, group="618", priority=2, limits=Limits(5, 1, D(90)))
    kind = kind_of(told)
    form = RuleForm(_typed(RuleForm(kind=kind, initial=initial_of(told))), kind=kind)
    assert form.is_valid(), form.errors
    assert form.rule() == told


GOLD, EAST_CHINA, BIG = c.Member(("gold",)), c.ShipsTo(("east",)), c.Amount(D(300))
JD, WEEKEND, MANY = c.OnChannel(("JD",)), c.OnWeekdays((6, 7)), c.Quantity(5)
NESTED = {
    "any of a group": c.All((GOLD, c.Any((JD, c.All((BIG, EAST_CHINA)))))),
    "all in all": c.All((c.All((BIG, EAST_CHINA)),)),
    "none of a group": c.All((GOLD, c.Not(c.All((JD, BIG))))),
    "not not": c.All((c.Not(c.Not(JD)),)),
    "three deep": c.All((c.Any((JD, c.All((BIG, c.Any((EAST_CHINA, c.Not(WEEKEND))))))),)),
    "two groups in one": c.All((c.Any((c.All((JD, BIG)), c.All((EAST_CHINA, MANY)))),)),
    "groups beside groups": c.All((GOLD, c.All((BIG, MANY)), c.Any((JD, c.Not(WEEKEND))), c.Not(c.Any((MANY, JD))))),
}


@pytest.mark.parametrize("condition", NESTED.values(), ids=NESTED)
def test_groups_within_groups_come_back_as_they_were(condition):
    told = Rule(reward=r.FreeShipping(), condition=condition)
    assert can_show(condition)
    form = RuleForm(_typed(RuleForm(kind="shipping", initial=initial_of(told))), kind="shipping")
    assert form.is_valid(), form.errors
    assert form.rule() == told


def test_rows_come_before_groups_and_stay_where_they_are_then():
    condition = c.All((c.Any((c.All((BIG, MANY)), JD)), GOLD))
    once = initial_of(Rule(reward=r.FreeShipping(), condition=condition))
    form = RuleForm(_typed(RuleForm(kind="shipping", initial=once)), kind="shipping")
    assert form.is_valid()
    assert form.rule().condition == c.All((GOLD, c.Any((JD, c.All((BIG, MANY))))))


@pytest.mark.parametrize("inside", ["1", "2", "x", "-1", "٣"])
def test_a_group_lies_in_an_earlier_one_or_the_form_is_refused(inside):
    told = {
        "condition-0-mode": "all", "condition-0-0-what": "amount", "condition-0-0-least": "9",
        "condition-1-mode": "any", "condition-1-inside": inside, "condition-1-0-what": "on_channel",
        "condition-1-0-words": "JD",
    }  # fmt: skip
    form = RuleForm(told, kind="shipping")
    assert form.errors["condition"] == ["A group lies inside one that stands before it."]


def deep(levels):
    condition = c.Any((JD, GOLD))
    for _level in range(levels - 1):
        condition = c.Any((BIG, condition))
    return c.All((condition,))


def test_what_is_deeper_or_larger_than_the_page_is_left_to_whoever_wrote_it(author):
    assert (can_show(deep(4)), can_show(deep(5))) == (True, False)
    assert not can_show(c.All(tuple(c.Any((JD, GOLD)) for _ in range(13))))
    assert not can_show(c.All((c.Any(tuple(c.Quantity(n) for n in range(1, 14))),)))
    too_deep = initial_of(Rule(reward=r.FreeShipping(), condition=deep(5)))
    form = RuleForm(_typed(RuleForm(kind="shipping", initial=too_deep)), kind="shipping")
    assert form.errors["condition"] == ["At most 4 groups lie within each other."]


def test_a_group_inside_is_drawn_inside_and_said_so(author):
    told = GIFT | {
        "condition-1-mode": "any", "condition-1-0-what": "member", "condition-1-0-words": "gold",
        "condition-2-mode": "all", "condition-2-inside": "1", "condition-2-0-what": "quantity",
        "condition-2-0-least": "5", "condition-2-1-what": "on_weekdays", "condition-2-1-words": "6, 7",
    }  # fmt: skip
    version = build(author, **told)
    assert from_json(version.body).condition.of[2] == c.Any((GOLD, c.All((MANY, WEEKEND))))
    url = reverse("admin:promotions_promotion_build", args=[version.promotion_id])
    shown = author.get(url).content.decode()
    assert [shown.count(f'data-depth="{depth}"') for depth in range(3)] == [2, 1, 0]
    assert '<input type="hidden" name="condition-2-inside" value="1" data-inside>' in shown


def _typed(form):
    """Return what a browser would send of a form."""
    told = {}
    for field in form:
        value = field.field.prepare_value(field.initial)
        if hasattr(field.field, "columns"):
            for place, row in enumerate(value):
                told |= {f"{field.name}-{place}-{column.name}": cell
                         for column, cell in zip(field.field.columns, row, strict=True)}  # fmt: skip
        elif field.name == "condition":
            for place, group in enumerate(value):
                told |= {f"condition-{place}-mode": group["mode"], f"condition-{place}-inside": group["inside"]}
                for number, row in enumerate(group["rows"]):
                    told |= {f"condition-{place}-{number}-{name}": cell for name, cell in row.items()}
        elif value is not None and value is not False:
            told[field.name] = value
    return told


def test_the_preview_says_it_in_both_languages_and_keeps_nothing(author):
    shown = author.post(PREVIEW, GIFT | {"baskets": "CUP*40 | 31\nCUP*40 | 44\nGHOST"}).content.decode()
    assert "Orders of ¥300 or more shipped to East China get 1 × SAMPLE-B; for at most 1000 orders" in shown
    assert "It adds 1 × SAMPLE-B." in shown
    assert "Not known: GHOST" in shown
    assert "It meets no live promotion in its lane." in shown
    assert shown.count('class="chip draft"') == 1
    assert not Promotion.objects.exists()


def test_complaints_stand_beside_their_fields(author):
    shown = author.post(PREVIEW, GIFT | {"items-0-sku": "GHOST", "condition-0-1-words": "mars", "budget": "x"})
    assert 'data-complaint="budget"' in shown.content.decode()
    shown = author.post(PREVIEW, GIFT | {"items-0-sku": "GHOST", "condition-0-1-words": "mars"}).content.decode()
    assert '<li data-complaint="condition">The region mars is not known. Choose a province or an area.</li>' in shown
    assert '<li data-complaint="items">The SKU GHOST is not known. Look at its spelling.</li>' in shown


@pytest.mark.parametrize(
    ("source", "typed", "first"),
    [("goods", "CU", "category:cups"), ("sku", "SAMP", "SAMPLE-B"), ("regions", "East", "east"),
     ("weekdays", "Mon", "1"), ("nothing", "x", None)],
)  # fmt: skip
def test_words_are_proposed(author, source, typed, first):
    found = author.get(WORDS, {"of": source, "q": typed}).json()["words"]
    assert (found[0]["code"] if found else None) == first


def test_tiers_groups_and_ways_to_pay_are_proposed_from_buyers_and_rules(author):
    channel = company.channel()
    Customer.objects.create(channel=channel, external_key="a", tier="gold", segments=["new", "tea"])
    Customer.objects.create(channel=channel, external_key="b", tier="", segments=[])
    weekday = {"condition-1-mode": "any", "condition-1-0-what": "member", "condition-1-0-words": "platinum, gold",
               "condition-1-1-what": "pays_by", "condition-1-1-words": "card"}  # fmt: skip
    build(author, **weekday)

    def proposed(source, typed=""):
        return [word["code"] for word in author.get(WORDS, {"of": source, "q": typed}).json()["words"]]

    assert proposed("tiers") == ["gold", "platinum"]
    assert (proposed("tiers", "plat"), proposed("segments", "te"), proposed("payments")) == (
        ["platinum"], ["tea"], ["card"],
    )  # fmt: skip


def test_stores_and_brands_are_proposed(author):
    company.node("ST1", kind="store", name="West Lake")
    cup = Sku.objects.get(code="CUP")
    cup.brand = "Oak"
    cup.save()
    stores = author.get(WORDS, {"of": "stores", "q": "west"}).json()["words"]
    assert stores == [{"code": "ST1", "name": "West Lake"}]
    assert author.get(WORDS, {"of": "brands", "q": "o"}).json()["words"] == [{"code": "Oak", "name": "brand"}]


def test_a_draft_is_approved_by_another_person_and_live(author, approver):
    version = build(author)
    deed(author, version, "submit")
    assert version.status == "submitted"
    assert "Orders of ¥300 or more shipped to East China get 1 × SAMPLE-B" in page(approver, version)
    assert "You may not approve" not in page(approver, version)
    deed(approver, version, "approve")
    assert version.status == "live"
    assert "live since" in page(approver, version)


def test_nobody_approves_their_own_even_with_all_rights(goods, desk, boss):
    version = build(desk)
    deed(desk, version, "submit")
    answer = deed(desk, version, "approve")
    assert "You wrote on this version. Another person must approve it." in answer.content.decode()
    assert version.status == "submitted"


def test_who_may_not_approve_is_refused(author, goods):
    version = build(author)
    deed(author, version, "submit")
    assert deed(author, version, "approve").status_code == 403
    assert (version.status, ApprovalRequest.objects.get().status) == ("submitted", "waiting")


def test_what_cannot_stand_is_not_submitted_and_all_of_it_is_said(author):
    version = build(author, **{"items-0-sku": "GHOST", "ends_at": "2026-01-01T00:00", "starts_at": "2026-01-02T00:00"})
    shown = deed(author, version, "submit").content.decode()
    assert "The SKU GHOST is not known." in shown
    assert "It ends at 2026-01-01 00:00, before it starts at 2026-01-02 00:00." in shown
    assert version.status == "draft"


def test_two_people_on_one_draft_see_it(author, goods):
    version = build(author)
    url = reverse("admin:promotions_promotion_build", args=[version.promotion_id])
    other = browser("other", "change_promotion", "view_promotion")
    told = GIFT | {"read_digest": version.digest, "reason": "more"}
    assert author.post(url, told | {"most_uses": "500"}).status_code == 302
    answer = other.post(url, told | {"most_uses": "900"})
    assert "Somebody else has changed this draft since you opened it. Read it again." in answer.content.decode()
    version.refresh_from_db()
    assert from_json(version.body).limits.most_uses == 500


def test_a_live_promotion_is_stopped_by_one_person_and_goes_on(author, approver):
    version = build(author)
    deed(author, version, "submit")
    deed(approver, version, "approve")
    assert deed(author, version, "stop").status_code == 403
    deed(approver, version, "stop", reason="")
    assert version.status == "live"
    deed(approver, version, "stop")
    assert version.status == "paused"
    deed(approver, version, "resume")
    assert version.status == "live"


def test_the_next_version_is_told_apart_and_rolled_back(author, approver):
    first = build(author)
    deed(author, first, "submit")
    deed(approver, first, "approve")
    url = reverse("admin:promotions_promotion_build", args=[first.promotion_id])
    assert author.post(url, GIFT | {"condition-0-0-least": "200", "reason": "more buyers"}).status_code == 302
    second = PromotionVersion.objects.get(number=2)
    deed(author, second, "submit")
    shown = page(approver, second)
    words = "of ¥200 or more shipped to East China (was: of ¥300 or more shipped to East China)"
    assert f"<li>Which orders: {words}</li>" in shown
    deed(approver, second, "approve")
    first.refresh_from_db()
    assert (first.status, second.status, second.based_on) == ("retired", "live", 1)
    deed(approver, second, "roll_back", to="1")
    third = PromotionVersion.objects.get(number=3)
    assert (second.status, third.status, third.body) == ("retired", "live", first.body)


def test_it_goes_live_at_its_time(author, approver):
    moment = timezone.localtime(timezone.now() + timedelta(hours=1)).replace(second=0, microsecond=0)
    version = build(author, publish_at=f"{moment:%Y-%m-%dT%H:%M}")
    deed(author, version, "submit")
    deed(approver, version, "approve")
    assert (version.status, version.publish_at) == ("scheduled", moment)


@pytest.fixture
def of_tm(goods):
    """A browser of somebody who answers for the channel TM alone: writes, approves and stops there."""
    company.channel("JD")
    company.channel("TM")
    browser_of_tm = browser("tm")
    person = User.objects.get(username="tm")
    field = Scope.objects.create(kind="channel", code="TM")
    for right in ("write_in_scope", "approve_in_scope", "stop_in_scope"):
        assign_perm(right, person, field)
    return browser_of_tm


ON_TM = {"condition-1-mode": "all", "condition-1-0-what": "on_channel", "condition-1-0-words": "TM"}


def test_whoever_answers_for_a_channel_sees_and_writes_what_stays_on_it(of_tm, author):
    build(author, code="ALL")
    ours = of_tm.post(f"{ADD}?kind=gift", GIFT | ON_TM | {"code": "OURS"})
    assert ours.status_code == 302
    version = PromotionVersion.objects.get(promotion__code="OURS")
    shown = of_tm.get(LIST).content.decode()
    assert ("OURS" in shown, ">ALL<" in shown) == (True, False)
    assert "Submit for approval" in page(of_tm, version)
    deed(of_tm, version, "submit")
    assert version.status == "submitted"
    beyond = PromotionVersion.objects.get(promotion__code="ALL")
    url = reverse("admin:promotions_promotion_change", args=[beyond.promotion_id])
    assert of_tm.get(url).status_code in (403, 404)
    assert deed(of_tm, beyond, "submit").status_code == 403
    assert beyond.status == "draft"


def test_beyond_the_channel_nothing_is_begun_and_the_form_says_why(of_tm):
    answer = of_tm.post(f"{ADD}?kind=gift", GIFT)
    assert "You may not write this: it reaches beyond what you answer for." in answer.content.decode()
    assert not Promotion.objects.exists()


def test_a_draft_does_not_leave_the_channel(of_tm):
    of_tm.post(f"{ADD}?kind=gift", GIFT | ON_TM)
    version = PromotionVersion.objects.get()
    url = reverse("admin:promotions_promotion_build", args=[version.promotion_id])
    answer = of_tm.post(url, GIFT | {"read_digest": version.digest, "reason": "more"})
    assert "it reaches beyond what you answer for" in answer.content.decode()
    assert PromotionVersion.objects.get().body == version.body


def test_whoever_answers_for_a_channel_approves_and_stops_there_only(of_tm, author, approver):
    build(author, code="ALL")
    author.post(f"{ADD}?kind=gift", GIFT | ON_TM | {"code": "THEIRS"})
    everywhere, there = (PromotionVersion.objects.get(promotion__code=code) for code in ("ALL", "THEIRS"))
    for version in (everywhere, there):
        deed(author, version, "submit")
    assert deed(of_tm, everywhere, "approve").status_code == 403
    deed(of_tm, there, "approve")
    deed(approver, everywhere, "approve")
    assert (everywhere.status, there.status) == ("live", "live")
    assert deed(of_tm, everywhere, "stop").status_code == 403
    deed(of_tm, there, "stop")
    assert (everywhere.status, there.status) == ("live", "paused")


def test_a_draft_shows_what_it_would_have_done_and_submitting_it_untried_is_warned_of(author):
    version = build(author)
    shown = page(author, version)
    assert "It was not tried on past orders yet." in shown
    assert f'action="{reverse("admin:orders_backtest_ask", args=[version.pk])}"' in shown
    answer = deed(author, version, "submit")
    assert "Nobody has tried just this on past orders" in answer.content.decode()
    assert version.status == "submitted"


def test_once_tried_a_version_is_submitted_without_a_warning_and_its_approvers_read_the_figures(author, approver):
    version = build(author)
    author.post(reverse("admin:orders_backtest_ask", args=[version.pk]))
    backtests.run_waiting()
    assert "Nobody has tried" not in deed(author, version, "submit").content.decode()
    for shown in (page(approver, version), ApprovalRequest.objects.get().effect[0]["text"]):
        assert "orders from" in shown
    assert "it would have applied to 0." in page(approver, version)


def test_fields_are_made_for_what_there_is_only(desk, goods):
    add = reverse("admin:promotions_scope_add")
    company.channel("TM")
    for kind, code in (("channel", "TM"), ("region", "east"), ("region", "31")):
        assert desk.post(add, {"kind": kind, "code": code, "change_reason": "new"}).status_code == 302
    for kind, code in (("channel", "JD"), ("region", "mars"), ("brand", "Oak"), ("channel", "TM")):
        assert desk.post(add, {"kind": kind, "code": code, "change_reason": "new"}).status_code == 200
    assert Scope.objects.count() == 3
    shown = desk.get(reverse("admin:promotions_scope_changelist")).content.decode()
    assert ("East China" in shown, "Shanghai" in shown) == (True, True)
    row = Scope.objects.get(code="TM")
    assert desk.get(reverse("admin:promotions_scope_permissions", args=[row.pk])).status_code == 200


def test_the_list_shows_the_sentence_and_the_status(author):
    build(author)
    shown = author.get(LIST).content.decode()
    assert "Orders of ¥300 or more shipped to East China get 1 × SAMPLE-B" in shown
    assert "Draft" in shown


@pytest.mark.parametrize("url", [ADD, WORDS, f"{ADD}?kind=gift"])
def test_without_rights_nothing_opens(clerk, url):
    assert clerk().get(url).status_code == 403
    assert clerk().post(PREVIEW, GIFT).status_code == 403
