"""A number that somebody changed at a platform, over HTTP: the check finds it, pushing again puts it right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from audit.models import Case
from channels.adapters import calls
from channels.models import Channel, Listing, ListingStock
from channels.services import drift, outbox, stock_push
from channels.services.outbox import Delivered
from channels.services.stock_dues import Told
from channels.simulators.taobao import Platform
from tests import small_company as company

AT = datetime(2030, 1, 1, 1, 0, tzinfo=UTC)  # after the moments of the database's own clock
ITEM = 6001
CUP, LID, PEN = range(71, 74)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close the connections that the adapter keeps."""
    yield
    calls.close()


def test_a_wrong_number_at_the_platform_is_found_told_and_put_right() -> None:
    platform = Platform()
    with platform.serve() as server:
        shop, rows = connect(server.url + platform.path, platform)
        stock_push.collect(AT)
        assert outbox.deliver(at=AT) == Delivered(sent=3)
        assert figures(platform) == {CUP: 40, LID: 41, PEN: 42}

        platform.add_item(ITEM, LID, outer_id="LID", quantity=999)  # somebody typed it there
        assert drift.check_all(at=AT + timedelta(hours=1)) == 1
        case = Case.objects.get()
        assert (case.kind, case.subject, case.status) == ("stock_drifted", "TM", "open")
        assert case.why["values"] == {"channel": "TM", "count": 1, "examples": "LID: 41 / 999"}
        assert case.subject_url == f"/admin/channels/listingstock/?state=drift&channel={shop.pk}"
        assert figures(platform) == {CUP: 40, LID: 999, PEN: 42}  # found, not touched: a person says so

        assert stock_push.push_again([rows["LID"].pk], at=AT + timedelta(hours=1)) == Told(figures=1)
        assert outbox.deliver(at=AT + timedelta(hours=1, seconds=1)) == Delivered(sent=1)
        assert figures(platform) == {CUP: 40, LID: 41, PEN: 42}
        assert platform.calls["taobao.item.quantity.update"] == 4  # three at first, and the wrong one alone

        assert drift.check_all(at=AT + timedelta(hours=2)) == 0
        seen = ListingStock.objects.order_by("listing__external_code").values_list("quantity_seen", flat=True)
        assert list(seen) == [40, 41, 42]
        assert list(Case.objects.values_list("status", "resolution")) == [("resolved", "the channel says our figures")]


def connect(url: str, platform: Platform) -> tuple[Channel, dict[str, Listing]]:
    """Connect a shop that lists three SKUs of one item, none of them in stock there; we have 40, 41 and 42."""
    shop = Channel.objects.create(
        code="TM", name="TM", platform="taobao", adapter="taobao", base_url=url, credentials=platform.credentials
    )
    near, rows = company.node("SH"), {}
    for place, (code, sku_id) in enumerate((("CUP", CUP), ("LID", LID), ("PEN", PEN))):
        sku = company.sku(code)
        platform.add_item(ITEM, sku_id, outer_id=code)
        company.stock(sku, near, 40 + place)
        rows[code] = Listing.objects.create(
            channel=shop, sku=sku, external_code=code, external_item_id=str(ITEM), external_sku_id=str(sku_id)
        )
    return shop, rows


def figures(platform: Platform) -> dict[int, int]:
    """Return what the platform says of each SKU."""
    return {int(row["sku_id"]): row["quantity"] for row in platform.state()["stock"]}
