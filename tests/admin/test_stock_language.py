"""The pages on which stock is worked with, read in either language from the first to the last word."""

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.admin import papers
from tests.admin.keyed import typed
from tests.admin.reading import chinese_left, english_left
from tests.admin.test_language import LANGUAGES, LATIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_reasons")]


@pytest.fixture
def pages(desk, shop):
    """The addresses of every page of stock's papers, in each state that shows other words."""
    _channel, cup, lid, near, far = shop
    draft, sent = papers.send_goods(cup, near, far)
    order = papers.receive_goods(cup, lid, near)
    broken, waiting = papers.upload_files(timezone.now())
    open_count, settled = papers.count_goods(cup, near)
    named = [("transfer_edit", draft), ("transfer_receive", sent), ("expectedreceipt_receive", order),
             ("stockcount_count", open_count), ("stockimport_upload", broken), ("stockimport_upload", waiting),
             ("transfer_change", draft), ("transfer_change", sent), ("expectedreceipt_change", order),
             ("receipt_change", order.receipts.get()), ("stockcount_change", open_count),
             ("stockcount_change", settled)]  # fmt: skip
    found = [reverse(f"admin:inventory_{name}", args=[row.pk]) for name, row in named]
    lists = [reverse(f"admin:inventory_{name}_changelist") for name in
             ("transfer", "expectedreceipt", "receipt", "stockcount", "stockimport")]  # fmt: skip
    adds = [reverse(f"admin:inventory_{name}_add") for name in ("transfer", "expectedreceipt", "stockimport")]
    count = reverse("admin:inventory_stockcount_add")
    verbs = [
        f"{reverse('admin:inventory_stockcount_verb', args=[name])}?ids={settled.pk}" for name in ("apply", "cancel")
    ]
    slip = f"{reverse('admin:inventory_expectedreceipt_verb', args=['slip'])}?ids={order.pk}"
    return [*found, *lists, *adds, count, f"{count}?node={far.pk}", f"{count}?node={near.pk}", *verbs, slip]


def read(browser, language: str, urls: list[str]) -> dict[str, str]:
    """Return what each page says, and what the two forms of typed rows say when they are refused."""
    browser.cookies["django_language"] = language
    found = {}
    for url in urls:
        answer = browser.get(url)
        assert answer.status_code == 200, url
        found[url] = answer.content.decode()
    for name in ("transfer", "expectedreceipt"):
        url = reverse(f"admin:inventory_{name}_add")
        refused = browser.post(url, typed(("GHOST", 1), ("CUP", ""), ("", 1)))
        assert refused.status_code == 200
        found[f"POST {url}"] = refused.content.decode()
    return found


def test_every_page_of_stocks_papers_is_chinese_in_chinese(desk, pages):
    left = {url: english_left(html, LATIN) for url, html in read(desk, "zh-hans", pages).items()}
    assert {url: pieces for url, pieces in left.items() if pieces} == {}


def test_every_page_of_stocks_papers_is_english_in_english(desk, pages):
    left = {url: chinese_left(html, LANGUAGES) for url, html in read(desk, "en", pages).items()}
    assert {url: pieces for url, pieces in left.items() if pieces} == {}
