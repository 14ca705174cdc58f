"""The pages of safety stock: drafts are written and looked at, published by those who may, and never edited after."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from inventory.models import Category, SafetyChange, SafetyRule, StockLevel
from inventory.services import safety_rules
from tests import small_company as company
from tests.admin.reading import words_of
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LIST = "/admin/inventory/safetyrule/"


def draft(**columns):
    values = {"name": "Buffer", "kind": "fixed", "amount": Decimal(4)} | columns
    return safety_rules.save_draft(SafetyRule(**values), reason="peak", actor=TESTER, at=NOON)


def live(**columns):
    rule = draft(**columns)
    safety_rules.publish(rule.pk, reason="peak", actor=TESTER, at=NOON)
    return rule


def page(rule):
    return reverse("admin:inventory_safetyrule_change", args=[rule.pk])


def preview(browser, rule):
    """Return what the page of a rule says when its tables have followed."""
    return text(browser.get(reverse("admin:inventory_safetyrule_preview", args=[rule.pk])))


def typed(**facts):
    empty = ("sku", "category", "node", "starts_at_0", "starts_at_1", "ends_at_0", "ends_at_1")
    given = {"name": "Buffer", "kind": "fixed", "amount": "4", "change_reason": "peak"}
    return dict.fromkeys(empty, "") | given | facts


def do(browser, name, *rows, model="safetyrule", **told):
    ids = ",".join(str(row.pk) for row in rows)
    return browser.post(f"/admin/inventory/{model}/do/{name}/?ids={ids}", told, follow=True)


def text(response):
    return " ".join(words_of(response.content.decode()))


def kept():
    return list(StockLevel.objects.order_by("pk").values_list("safety_stock", flat=True))


# -- drafts ----------------------------------------------------------------------------------------


def test_a_draft_is_written_and_edited_at_the_desk(desk, shop):
    answer = desk.post(f"{LIST}add/", typed(sku=shop[1].pk, node=shop[3].pk))
    assert answer.status_code == 302
    rule = SafetyRule.objects.get()
    assert (rule.status, rule.sku, rule.node, rule.amount, rule.created_by) == (
        "draft", shop[1], shop[3], 4, "person:boss",
    )  # fmt: skip
    assert desk.post(page(rule), typed(amount="7", change_reason="more")).status_code == 302
    rule.refresh_from_db()
    assert (rule.amount, rule.sku, kept()) == (7, None, [0, 0, 0])
    assert list(rule.history.values_list("history_change_reason", flat=True)) == [
        "person:boss: more", "person:boss: peak",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"amount": "1.5"}, "Units are whole numbers."),
        ({"kind": "percent", "amount": "101"}, "More than 100 per cent cannot be kept back."),
        ({"kind": "days", "amount": "400"}, "More than 366 days of cover cannot be asked for."),
        ({"amount": "-1"}, "The amount cannot be negative."),
        ({"starts_at_0": "2026-12-02", "starts_at_1": "10:00", "ends_at_0": "2026-12-01", "ends_at_1": "10:00"},
         "The rule would end before it begins."),
        ({"change_reason": ""}, "This field is required."),
    ],
)  # fmt: skip
def test_bad_input_is_said_beside_its_field_and_nothing_is_kept(desk, shop, facts, words):
    answer = desk.post(f"{LIST}add/", typed(**facts))
    assert (answer.status_code, words in text(answer)) == (200, True)
    assert SafetyRule.objects.count() == 0


def test_bad_input_is_said_in_the_readers_language(desk, shop):
    desk.cookies["django_language"] = "zh-hans"
    category = Category.objects.get()
    answer = desk.post(f"{LIST}add/", typed(sku=shop[1].pk, category=category.pk))
    assert answer.status_code == 200
    assert SafetyRule.objects.count() == 0
    with translation.override("zh-hans"):
        assert gettext("Choose a SKU or a category, not both.") in text(answer)


def test_a_live_rule_cannot_be_edited_or_deleted(desk, shop):
    rule = live()
    assert "This field" not in text(desk.get(page(rule)))
    desk.post(page(rule), typed(amount="9"))
    rule.refresh_from_db()
    assert rule.amount == 4
    assert desk.post(f"{LIST}{rule.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SafetyRule.objects.filter(pk=rule.pk).exists()


# -- preview ---------------------------------------------------------------------------------------


def test_the_page_of_a_draft_shows_what_it_would_change(desk, shop):
    live(name="Cups", sku=shop[1], node=shop[4], amount=Decimal(1))
    said = preview(desk, draft(amount=Decimal(10)))
    assert "What it would change With it and without it, on today's stock." in said
    assert "Levels it is for 3 Levels that keep back another figure 2" in said
    assert "Units newly kept back 20 Units set free 0" in said
    assert "Levels that promise nothing with it 2 of these, levels that promise something without it 2" in said
    assert "2 of 2 nodes. Node Without With Change SH 0 20 +20 0 → 20 WH 1 1 +0 1 → 1" in said
    assert "Then promised CUP SH 0 10 +10 0 LID SH 0 10 +10 0" in said
    assert kept() == [0, 0, 1]


def test_the_preview_says_which_rule_ends_and_when_a_later_one_begins(desk, shop):
    rule = live(sku=shop[1])
    fresh = safety_rules.copy(rule.pk, actor=TESTER, at=NOON)
    assert "The live rule of the same name is retired with it." in preview(desk, fresh)
    later = draft(name="Later", starts_at=timezone.now() + timedelta(days=2))
    assert "The rule begins on" in preview(desk, later)


def test_the_page_says_that_levels_are_still_to_follow(desk, shop, monkeypatch):
    monkeypatch.setattr(safety_rules, "MOST_AT_ONCE", 1)
    rule = live()
    said = preview(desk, rule)
    assert "3 levels are still to follow the live rules: under way." in said


def test_the_preview_asks_as_often_for_many_levels_as_for_one(desk, shop):
    counts = []
    for sku in ("MUG", "JAR", "BOX"):
        company.stock(company.sku(sku), company.node(f"N{sku}"), 5)
        rule = draft(name=sku)
        preview(desk, rule)
        with CaptureQueriesContext(connection) as queries:
            preview(desk, rule)
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_the_page_is_there_before_any_level_was_looked_at(desk, shop):
    rule = draft()
    with CaptureQueriesContext(connection) as queries:
        answer = desk.get(page(rule))
    assert [query for query in queries if "inventory_stocklevel" in query["sql"]] == []
    assert f'data-later="{LIST}{rule.pk}/preview/"' in answer.content.decode()
    assert "Looking at every level it is for …" in text(answer)
    assert "Levels it is for 3" in text(desk.get(f"{page(rule)}?preview=now"))  # where no script runs


def test_a_retired_rule_has_no_preview(desk, shop):
    rule = live()
    safety_rules.retire(rule.pk, reason="over", actor=TESTER, at=NOON)
    assert "data-later" not in desk.get(page(rule)).content.decode()
    assert preview(desk, rule) == ""


# -- deeds -----------------------------------------------------------------------------------------


def test_a_rule_is_published_retired_and_copied_with_buttons(desk, shop):
    rule = draft(node=shop[3])
    assert "Publish…" in text(desk.get(page(rule)))
    said = text(do(desk, "publish", rule, reason="eleven"))
    assert "Done. 2 levels keep back another figure now." in said
    rule.refresh_from_db()
    assert (rule.status, rule.published_by, kept()) == ("live", "person:boss", [4, 4, 0])
    assert rule.history.first().history_change_reason == "person:boss: eleven"
    assert "1 drafts are made." in text(do(desk, "copy", rule, sure="yes"))
    assert "Done. 2 levels" in text(do(desk, "retire", rule, reason="over"))
    assert kept() == [0, 0, 0]
    assert list(SafetyRule.objects.order_by("pk").values_list("status", flat=True)) == ["retired", "draft"]


def test_publishing_a_copy_offers_to_retire_the_rule_it_came_from(desk, shop):
    rule = live(sku=shop[1])
    fresh = safety_rules.copy(rule.pk, actor=TESTER, at=NOON)
    form = desk.get(f"{LIST}do/publish/?ids={fresh.pk}").content.decode()
    assert re.search(rf'<option value="{rule.pk}"\s+selected', form)
    do(desk, "publish", fresh, reason="again", replaces=str(rule.pk))
    assert list(SafetyRule.objects.order_by("pk").values_list("status", flat=True)) == ["retired", "live"]


def test_a_deed_needs_a_reason_and_a_refusal_is_shown(desk, shop):
    rule = draft(ends_at=NOON)
    assert do(desk, "publish", rule, reason="").context["form"].errors == {"reason": ["This field is required."]}
    said = text(do(desk, "publish", rule, reason="late"))
    assert "The time of this rule is over. Choose a later end." in said
    rule.refresh_from_db()
    assert (rule.status, kept()) == ("draft", [0, 0, 0])


def test_those_who_may_only_look_see_no_buttons_and_are_refused(clerk, shop):
    browser, rule = clerk("inventory.view_safetyrule"), draft()
    seen = browser.get(page(rule))
    assert (seen.status_code, "Publish…" in text(seen)) == (200, False)
    assert "What it would change" in preview(browser, rule)
    assert clerk().get(f"{LIST}{rule.pk}/preview/").status_code == 404  # nothing is there for them
    for name in ("publish", "retire", "copy"):
        assert do(browser, name, rule, reason="x").status_code == 403
    assert browser.post(f"{LIST}add/", typed()).status_code == 403
    assert browser.post(page(rule), typed(amount="9")).status_code == 403
    assert list(SafetyRule.objects.values_list("status", "amount")) == [("draft", 4)]
    assert clerk().get(LIST).status_code == 403


def test_very_many_levels_are_left_to_the_task(desk, shop, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(safety_rules, "MOST_AT_ONCE", 1)
    with django_capture_on_commit_callbacks() as kicks:
        said = text(do(desk, "publish", draft(), reason="all"))
    assert "Done. There are very many levels: they follow within minutes." in said
    assert (len(kicks), kept()) == (1, [0, 0, 0])


# -- levels and changes ----------------------------------------------------------------------------


def test_the_own_figure_of_a_level_is_set_at_its_page(desk, clerk, shop):
    level = StockLevel.objects.order_by("pk").first()
    said = text(do(desk, "own-safety", level, model="stocklevel", units="3"))
    assert "Done. 1 levels keep back another figure now." in said
    assert kept() == [3, 0, 0]
    assert do(clerk("inventory.view_stocklevel"), "own-safety", level, model="stocklevel", units="9").status_code == 403
    assert "at most" not in said
    assert do(desk, "own-safety", level, model="stocklevel", units="-1").status_code == 200
    assert kept() == [3, 0, 0]


def test_the_changes_of_a_level_can_be_reached_from_it(desk, shop):
    rule = live(sku=shop[1])
    level = StockLevel.objects.get(sku=shop[1], node=shop[3])
    html = desk.get(reverse("admin:inventory_stocklevel_change", args=[level.pk])).content.decode()
    [url] = re.findall(r'href="(/admin/inventory/safetychange/\?[^"]+)"', html)
    said = text(desk.get(url.replace("&amp;", "&")))
    assert "0 → 4" in said
    assert rule.name in said
    change = SafetyChange.objects.order_by("pk").first()
    assert desk.post(reverse("admin:inventory_safetychange_change", args=[change.pk]), {}).status_code == 403
    assert desk.get("/admin/inventory/safetychange/?q=GHOST").status_code == 200


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"kind": "percent", "amount": Decimal("2.50")}, "2.5 %"),
        ({"kind": "days", "amount": Decimal(3)}, "3 days of cover"),
        ({"amount": Decimal(20)}, "20 units"),
        ({"starts_at": NOON, "ends_at": NOON + timedelta(hours=1)}, "2026-11-02 12:00 – 2026-11-02 13:00"),
    ],
)
def test_the_list_says_in_words_what_a_rule_is(desk, shop, columns, words):
    draft(**columns)
    said = re.sub(r"<[^>]+>", "", desk.get(LIST).content.decode())
    assert words in said
    assert "everything" in said
    assert "all nodes" in said
