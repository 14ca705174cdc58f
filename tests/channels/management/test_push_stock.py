"""``manage.py push_stock`` fills the outbox of one channel."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from channels.models import Channel, OutboundMessage
from tests import small_company as company
from tests.channels.services.stock_shop import list_on

pytestmark = pytest.mark.django_db


def test_every_listing_with_known_stock_is_pushed() -> None:
    shop, cup = company.channel("JD"), company.sku("CUP")
    list_on(shop, cup)
    list_on(shop, company.sku("LID"))
    list_on(company.channel("TM"), cup)
    company.stock(cup, company.node("SH"), 9)
    said = StringIO()
    call_command("push_stock", "--channel", "JD", "--all", stdout=said)
    assert said.getvalue() == "1 figures in the outbox, 1 listings of unknown stock left out.\n"
    assert OutboundMessage.objects.values_list("subject", "body__quantity").get() == ("JD/J-CUP", 9)


@pytest.mark.parametrize("code", ["JD", "NOBODY"])
def test_a_channel_that_is_not_told_stock_is_refused(code: str) -> None:
    company.channel("JD", is_sandbox=True)
    with pytest.raises(CommandError, match=code):
        call_command("push_stock", "--channel", code, "--all")
    assert (Channel.objects.count(), OutboundMessage.objects.count()) == (1, 0)


def test_all_must_be_said() -> None:
    with pytest.raises(CommandError, match="--all"):
        call_command("push_stock", "--channel", "JD")
