"""Stock's papers in a real browser, counting on a phone: scan, type, Enter, paste; no error, no sideways scrolling."""

from decimal import Decimal

import pytest

from inventory.models import SafetyRule, Sku, StockCount
from inventory.queries import risk
from inventory.services import counts, safety_rules
from tests.admin.test_browser import CHROMIUM, log_in, page  # noqa: F401 - page is the fixture
from tests.small_company import NOON, TESTER

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


def test_a_count_on_a_phone(page, live_server, boss, shop):  # noqa: F811
    _channel, cup, lid, near, _far = shop
    Sku.objects.filter(pk__in=[cup.pk, lid.pk]).update(unit_cost=30)
    Sku.objects.filter(pk=lid.pk).update(barcode="6900000000017")
    row = StockCount(number="CT-1", node=near)
    counts.begin(row, risks=risk.ranking(near.pk), actor=TESTER, at=NOON)
    page.set_viewport_size({"width": 390, "height": 800})
    log_in(page, live_server.url, "en")
    page.goto(f"{live_server.url}/admin/inventory/stockcount/{row.pk}/count/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.fill("[data-scan]", "6900000000017")
    page.keyboard.press("Enter")
    page.keyboard.type("10")
    assert page.locator("[data-filled]").inner_text() == "1"
    page.fill("[data-scan]", "cup")
    page.keyboard.press("Enter")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"  # the next line's field, nothing is sent yet
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    told = list(row.lines.order_by("sku__code").values_list("sku__code", "counted", "status"))
    assert told == [("CUP", 9, "recount"), ("LID", 10, "settled")]
    assert page.troubles == []


def test_rows_are_typed_scanned_and_pasted(page, live_server, boss, shop):  # noqa: F811
    log_in(page, live_server.url, "en")
    page.goto(f"{live_server.url}/admin/inventory/transfer/add/")
    page.fill("[name=lines-0-sku]", "CUP")
    page.keyboard.press("Enter")
    page.keyboard.type("3")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text", "LID\\t2\\nCUP\\t1\\nA\\t1\\nB\\t1\\nC\\t1\\nD\\t4\\n");
            const field = document.querySelector("[name=lines-1-sku]");
            field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }"""
    )
    values = page.locator("[data-rows] tbody input").evaluate_all("fields => fields.map(field => field.value)")
    assert values == ["CUP", "3", "LID", "2", "CUP", "1", "A", "1", "B", "1", "C", "1", "D", "4"]
    assert page.locator("[name=lines-TOTAL_FORMS]").input_value() == "7"
    page.click("[data-clear-row] >> nth=6")
    assert page.locator("[name=lines-6-sku]").input_value() == ""
    assert page.troubles == []


def test_the_preview_of_a_rule_follows_its_page(page, live_server, boss, shop):  # noqa: F811
    row = SafetyRule(name="Buffer", kind="fixed", amount=Decimal(4))
    rule = safety_rules.save_draft(row, reason="peak", actor=TESTER, at=NOON)
    log_in(page, live_server.url, "en")
    page.goto(f"{live_server.url}/admin/inventory/safetyrule/{rule.pk}/change/")
    page.wait_for_selector("[data-later][aria-busy=false] table")
    assert "Levels it is for" in page.locator("[data-later]").inner_text()
    assert page.locator("[data-waiting]").count() == 0
    assert page.troubles == []
