"""Buyers: drawn by number, so that a million of them need no memory. Nobody's name, phone or street is real."""

from array import array
from bisect import bisect
from dataclasses import dataclass
from random import Random

from config.demo import places
from config.demo.company import DemoChannel
from config.demo.places import Place

RETURNING = 0.42  # share of orders by somebody who bought before
_MASK = (1 << 64) - 1
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN = (
    "安", "晨", "朵", "帆", "禾", "佳", "可", "岚", "蓝", "乐", "宁", "沐", "念", "棠", "晴", "然", "舒", "思远",
    "桐", "婉", "文博", "溪", "欣怡", "雅静", "言", "一诺", "雨桐", "悦", "云舟", "知夏", "子涵", "梓萱",
)  # fmt: skip
_FIRST = ("Alex", "Ben", "Chloe", "Dana", "Emi", "Finn", "Grace", "Hana", "Ivy", "Jun", "Kai", "Lena", "Mia", "Noah")
_LAST = ("Chan", "Lim", "Sato", "Miller", "Wong", "Tan", "Brown", "Suzuki", "Lee", "Clark", "Ng", "Evans", "Ho", "Ito")
_ROADS = ("栗树路", "云栖路", "望江路", "青禾街", "松涛路", "映月路", "芦苇巷", "星河大道", "杏林街", "临溪路")
_DISTRICTS = ("高新区", "经开区", "城东新区", "城西新区", "滨江新区", "老城区")


@dataclass(slots=True)
class Buyer:
    """One buyer as a channel shows them."""

    customer_id: int  # 0: not stored yet
    key: str
    name: str
    phone: str
    district: str
    line: str
    token: str
    place: Place


class People:
    """The buyers of one channel: new ones are numbered, old ones are found again by their number."""

    def __init__(self, channel: DemoChannel, seed: int) -> None:
        self._channel = channel
        self._salt = _mix(seed * 1_000_003 + sum(ord(letter) * 257**place for place, letter in enumerate(channel.code)))
        self._places = places.of_channel(channel.code)
        self._ids = array("q")  # buyer's number → customer id

    def somebody(self, rng: Random) -> Buyer:
        """Return a buyer who comes back, or a new one with ``customer_id`` 0."""
        known = len(self._ids)
        number = int(rng.random() * known) if known and rng.random() < RETURNING else known
        buyer = self.buyer(number)
        if number < known:
            buyer.customer_id = self._ids[number]
        return buyer

    def remember(self, customer_id: int) -> None:
        """Give the newest buyer the id under which they are stored."""
        self._ids.append(customer_id)

    def buyer(self, number: int) -> Buyer:
        """Return the buyer of this number: always the same."""
        fate = _mix(self._salt + number)
        sums = self._places.sums
        place = self._places.towns[bisect(sums, (fate & 0xFFFFFFFF) / 0x100000000 * sums[-1])]
        tail = fate >> 32
        phone = f"100{tail % 100_000_000:08d}"
        if place.country != "CN":
            name = f"{_FIRST[tail % 14]} {_LAST[tail // 14 % 14]}"
            return Buyer(0, f"{fate:016x}", name, f"+{phone}", "", f"{tail % 300 + 1} Chestnut Road", "", place)
        surname = _SURNAMES[tail % 30]
        district = _DISTRICTS[tail // 30 % 6]
        if self._channel.adapter == "taobao":
            return Buyer(
                0, f"AAE{fate:016x}", f"{surname}**", f"*******{phone[-4:]}", district, "***", f"1a{fate:016x}", place
            )
        name = surname + _GIVEN[tail // 180 % 32]
        line = f"{_ROADS[tail // 7 % 10]}{tail // 70 % 380 + 1}号{tail // 11 % 30 + 1}栋{tail // 13 % 28 + 1:02d}01室"
        return Buyer(0, f"{fate:016x}", name, phone, district, line, "", place)


def _mix(value: int) -> int:
    """Return a 64-bit number that looks random (the finaliser of splitmix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
