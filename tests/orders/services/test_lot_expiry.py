"""The nightly job asks each parcel's order how long its goods must keep."""

from datetime import timedelta

from inventory.models import ReservationLot
from inventory.services import expiring
from orders.queries import parcel_channels
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import after
from tests.orders.services import scenes
from tests.small_company import NOON


def test_each_parcel_gets_what_its_channel_asks_for(hub):
    milk = dated.milk()
    dated.put(dated.lot(milk, "SOON", after(5)), hub.near, 2)
    company.receive(hub.channel, company.order_message("1", {"MILK": 1}))
    company.receive(company.channel("POS"), company.order_message("2", {"MILK": 1}))
    scenes.drain()
    dated.put(dated.lot(milk, "LATE", after(30)), hub.near, 2)
    dated.ask_for("JD", 60)

    outcome = expiring.expire(channels_of=parcel_channels.channels_of, at=NOON + timedelta(days=6))

    assert (outcome.reservations_changed, outcome.reservations_stuck) == (1, 1)
    rows = ReservationLot.objects.order_by("reservation").values_list("reservation__reference", "lot__code")
    assert list(rows) == [("JD-1-1", "SOON"), ("POS-2-1", "LATE")]
