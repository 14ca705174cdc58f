"""Every list: its number of queries does not depend on its rows, and it is there for those who may see it."""

import pytest
from django.contrib.admin import site
from django.urls import reverse

from audit.admin.base import AuditedAdmin
from orders.models import Order

pytestmark = pytest.mark.django_db
LISTS = sorted(site._registry, key=lambda model: model._meta.label)


def test_every_page_stands_on_the_one_base():
    assert [model._meta.label for model, page in site._registry.items() if not isinstance(page, AuditedAdmin)] == []


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_every_list_opens(desk, sell, model):
    sell({"1": {"CUP": 2, "LID": 1}})
    page = desk.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    assert page.status_code == 200
    assert len(page.content) < 300_000


def test_the_order_page_opens(desk, sell):
    sell({"1": {"CUP": 2, "LID": 1}})
    page = desk.get(reverse("admin:orders_order_change", args=[Order.objects.get().pk]))
    assert page.status_code == 200
