"""The board of what waits for approval."""

import pytest
from django.urls import reverse

from audit.models import ApprovalRequest
from tests import small_company as company
from tests.admin import offers

pytestmark = pytest.mark.django_db
LIST = reverse("admin:audit_approvalrequest_changelist")


@pytest.fixture
def waiting(boss):
    sample = company.sku("SAMPLE-B")
    company.stock(sample, company.node("SH"), 5)
    return offers.ask_for(offers.promise_gift("EAST-300", sample))


def test_the_board_shows_what_who_and_how_many_voices(desk, waiting):
    shown = desk.get(f"{LIST}?status=waiting").content.decode()
    for words in ("EAST-300/1", "Orders of ¥300 or more shipped to East China", "boss", "0 / 1"):
        assert words in shown, words


def test_a_request_leads_to_the_page_that_decides_and_is_read_only(desk, waiting):
    url = reverse("admin:audit_approvalrequest_change", args=[ApprovalRequest.objects.get().pk])
    shown = desk.get(url).content.decode()
    assert f"/admin/promotions/promotion/{waiting.promotion_id}/change/" in shown
    assert "Nothing of this promotion is in force yet." in shown
    assert desk.post(url, {"status": "approved"}).status_code == 403


def test_an_empty_board_says_so(desk):
    assert "Nothing waits for approval." in desk.get(LIST).content.decode()
