"""Orders of this minute as their platforms would send them, some with true trouble. No database is touched here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

from channels.simulators import taobao_trades
from config.demo import catalogue
from config.demo.baskets import Line, Shelf, shipping
from config.demo.calendar import CHINA, campaigns
from config.demo.company import BY_CODE, CHANNELS, DemoChannel
from config.demo.people import Buyer, People
from config.demo.tape import money

SHARE_UNPAID = 0.03
SHARE_WITH_CODE = 0.4  # of the orders of our own shops
YOUNGEST, OLDEST = 20, 280  # seconds ago at which these orders were placed
TITLE_OF_NOBODY = "下架商品"
# What goes wrong, and for which share of the house-language orders.
SHARES = {
    "unknown_sku": 0.012,
    "bad_province": 0.012,
    "bad_quantity": 0.006,
    "doubled": 0.04,
    "change_first": 0.01,
    "cancelled": 0.015,
    "cancel_first": 0.008,
}
LEAST_FOR_TROUBLE = 40  # orders; below that everything is ordinary
MALFORMED = '{"type": "order", "external_id": "%s", "revision": 1, "lines": [{"sku_code": "HM'


@dataclass
class Mail:
    """What is sent, in rounds: a round begins when the one before has been sent. Channel code → messages."""

    rounds: list[dict[str, list[dict[str, Any]]]] = field(default_factory=lambda: [{}, {}, {}])
    trades: list[dict[str, Any]] = field(default_factory=list)  # of the simulated Taobao
    broken: dict[str, bytes] = field(default_factory=dict)  # channel code → bytes that are no message

    def put(self, place: int, channel: str, message: dict[str, Any]) -> None:
        """Add a message to a round."""
        self.rounds[place].setdefault(channel, []).append(message)

    @property
    def size(self) -> int:
        """Return how many messages this is."""
        return sum(len(part) for letters in self.rounds for part in letters.values()) + len(
            self.trades + [*self.broken]
        )


@dataclass(frozen=True)
class Sale:
    """One order before it is written in a platform's words."""

    channel: DemoChannel
    number: str
    buyer: Buyer
    lines: Sequence[Line]
    placed_at: datetime
    paid_at: datetime | None


class Street:
    """Draws sales of this minute."""

    def __init__(self, *, seed: int, at: datetime, coupons: Sequence[str] = ()) -> None:
        """Draw for a moment; ``coupons`` are codes that buyers of our own shops give, one after the other."""
        self._rng = Random(f"{seed}/street")
        self._luck, self._coupons = Random(f"{seed}/coupons"), iter(coupons)
        self._at = at.astimezone(UTC).replace(microsecond=0)
        self._serial = int(at.timestamp() * 1000)  # in milliseconds: a later run never meets these numbers again
        self._skus = catalogue.make()
        self._shelf = Shelf(self._skus)
        self._people = {channel.code: People(channel, seed) for channel in CHANNELS}
        self._listings = {(listing.channel, listing.place): listing for listing in catalogue.listings(self._skus)}
        today = at.astimezone(CHINA).date()
        self._running = [c for c in campaigns(today, today) if c.starts_at <= at <= c.ends_at]

    def mail(self, orders: int) -> Mail:
        """Return so many orders, every channel at least one when there are enough, and the trouble among them."""
        mail = Mail()
        house = []
        for channel in self._choose(orders):
            sale = self._sale(channel)
            if channel.adapter == "taobao":
                mail.trades.append(self._trade(sale))
            else:
                house.append((channel.code, self._message(sale)))
        trouble = self._trouble(len(house)) if orders >= LEAST_FOR_TROUBLE else {}
        for place, (channel_code, message) in enumerate(house):
            self._post(mail, channel_code, message, trouble.get(place, ""))
        if trouble:
            mail.broken["PDD"] = (MALFORMED % self._serial).encode()
            mail.trades[-1]["receiver_state"] = "火星省"
        return mail

    def _choose(self, orders: int) -> list[DemoChannel]:
        some = list(CHANNELS) if orders >= len(CHANNELS) else []
        weights = [channel.share for channel in CHANNELS]
        return some + self._rng.choices(CHANNELS, weights, k=orders - len(some))

    def _trouble(self, orders: int) -> dict[int, str]:
        """Choose which orders have which trouble: at most one each."""
        counts = {name: max(1, round(orders * share)) for name, share in SHARES.items()}
        places = iter(self._rng.sample(range(orders), min(orders, sum(counts.values()))))
        return {place: name for name, count in counts.items() for place in islice(places, count)}

    def _post(self, mail: Mail, channel: str, message: dict[str, Any], trouble: str) -> None:
        if trouble == "unknown_sku":
            message["lines"][0] |= {"sku_code": f"NOBODY-{self._rng.randrange(10_000):04d}", "title": TITLE_OF_NOBODY}
        elif trouble == "bad_province":
            message["address"] |= {"province": "火星省", "city": "环形山市"}
        elif trouble == "bad_quantity":
            message["lines"][0]["quantity"] = 0
        elif trouble == "doubled":
            mail.put(2, channel, message)
        elif trouble == "change_first":
            note = {"buyer_note": "请放门口", "address": message["address"] | {"line": "栗树路1号"}}
            mail.put(0, channel, _change(message, 1000, note))
        elif trouble in ("cancelled", "cancel_first"):
            why = {"cancelled_at": self._at.isoformat(), "cancel_reason": "不想要了"}
            mail.put(2 if trouble == "cancelled" else 0, channel, _change(message, 2000, why))
        mail.put(1, channel, message)

    def _sale(self, channel: DemoChannel) -> Sale:
        self._serial += 1
        people = self._people[channel.code]
        buyer = people.buyer(self._rng.randrange(10**6))
        placed = self._at - timedelta(seconds=self._rng.randint(YOUNGEST, OLDEST))
        running = [campaign for campaign in self._running if campaign.holds_on(channel.code)]
        month = placed.astimezone(CHINA).month
        lines = self._shelf.fill(self._rng, channel, buyer.place.area, month, running, lambda _place, _units: True)
        unpaid = channel.code != "POS" and self._rng.random() < SHARE_UNPAID
        number = channel.number_style.format(day=f"{placed.astimezone(CHINA):%y%m%d}", serial=self._serial)
        return Sale(channel, number, buyer, lines, placed, None if unpaid else placed + timedelta(seconds=15))

    def _code(self, sale: Sale, line: Line) -> str:
        listing = self._listings.get((sale.channel.code, line.place))
        return listing.external_code if listing else self._skus[line.place].code

    def _title(self, sale: Sale, line: Line) -> str:
        sku = self._skus[line.place]
        return sku.name_en if sale.channel.currency == "USD" else sku.name

    def _message(self, sale: Sale) -> dict[str, Any]:
        """Write a sale in the house language."""
        buyer, place = sale.buyer, sale.buyer.place
        goods = sum(line.price * line.quantity - line.discount for line in sale.lines)
        sending = 0 if sale.channel.code == "POS" else shipping(goods)
        at_home = place.country == "CN"
        return {
            "type": "order",
            "external_id": sale.number,
            "revision": _milliseconds(sale.paid_at or sale.placed_at),
            "placed_at": sale.placed_at.astimezone(CHINA).isoformat(),
            "paid_at": sale.paid_at.astimezone(CHINA).isoformat() if sale.paid_at else None,
            "currency": sale.channel.currency,
            "lines": [
                {
                    "external_id": str(number),
                    "sku_code": self._code(sale, line),
                    "title": self._title(sale, line),
                    "quantity": line.quantity,
                    "unit_price": money(line.price),
                    "discount": money(line.discount),
                }
                for number, line in enumerate(sale.lines, start=1)
            ],
            "address": {
                "country": place.country,
                "province": place.province if at_home else place.city,
                "city": f"{place.city}市" if at_home else place.city,
                "district": buyer.district,
                "line": buyer.line,
                "name": buyer.name,
                "phone": buyer.phone,
            },
            "shipping_amount": money(sending),
            "paid_amount": money(goods + sending) if sale.paid_at and not sale.channel.is_priced_here else None,
            "coupon_codes": self._codes(sale.channel),
            "buyer_key": buyer.key,
            "buyer_name": buyer.name,
        }

    def _codes(self, channel: DemoChannel) -> list[str]:
        """Return the coupon that a buyer of one of our own shops gives, if any."""
        if not channel.is_priced_here or self._luck.random() >= SHARE_WITH_CODE:
            return []
        return list(islice(self._coupons, 1))

    def _trade(self, sale: Sale) -> dict[str, Any]:
        """Write a sale as Taobao shows it."""
        place = sale.buyer.place
        lines = []
        for line in sale.lines:
            listing = self._listings[sale.channel.code, line.place]
            net = money(line.price * line.quantity - line.discount)
            item, sku_id, title = int(listing.item_id), int(listing.sku_id), self._title(sale, line)
            lines.append(
                taobao_trades.SoldLine(
                    listing.external_code, item, sku_id, title, line.quantity, money(line.price), net
                )
            )
        goods = sum(line.price * line.quantity - line.discount for line in sale.lines)
        receiver = taobao_trades.Receiver(
            state=place.province,
            city=f"{place.city}市",
            district=sale.buyer.district,
            town="",
            name=sale.buyer.name,
            mobile=sale.buyer.phone,
        )
        return taobao_trades.make_trade(
            taobao_trades.Sale(
                tid=int(sale.number),
                lines=lines,
                created_at=sale.placed_at,
                paid_at=sale.paid_at,
                status="WAIT_SELLER_SEND_GOODS" if sale.paid_at else "WAIT_BUYER_PAY",
                receiver=receiver,
                post_fee=str(Decimal(shipping(goods)) / 100),
            )
        )


def encode(messages: Sequence[dict[str, Any]]) -> bytes:
    """Return the body of one request."""
    return json.dumps(messages, ensure_ascii=False).encode()


def house_channels() -> list[str]:
    """Return the codes of the channels that speak the house language."""
    return [code for code, channel in BY_CODE.items() if channel.adapter == "house"]


def _change(message: dict[str, Any], later: int, says: dict[str, Any]) -> dict[str, Any]:
    """Return a change of an order, some milliseconds after it."""
    revision = message["revision"] + later
    return {"type": "change", "external_id": message["external_id"], "revision": revision, **says}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
