"""What a rule gives: rewards as data. Only the words stand here; ``granting`` works them out."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from promotions.rules.goods import EVERYTHING, Goods


class _Reward(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="is"):
    """Every reward is a frozen value. Amounts are in the basket's currency, per cents are 0 to 100."""


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From this amount on so much comes off."""

    at_least: Decimal
    off: Decimal


class Item(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """So many units of a SKU."""

    sku: str
    quantity: int = 1


class SkuPrice(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one unit of a SKU costs."""

    sku: str
    price: Decimal


class Choice(StrEnum):
    """Which of several gifts a buyer gets."""

    ALL = "all"
    FIRST_IN_STOCK = "first_in_stock"
    BUYER = "buyer"  # the buyer's choice; the first in stock when they did not choose


class SpendAndSave(_Reward, frozen=True, tag="spend_and_save"):
    """满减: the highest step that the goods reach; with ``is_repeated`` the one step is taken once per full amount."""

    steps: tuple[Step, ...]
    is_percent: bool = False
    is_repeated: bool = False
    most: Decimal | None = None  # never more than this comes off
    goods: Goods = EVERYTHING


class ItemOff(_Reward, frozen=True, tag="item_off"):
    """A per cent or an amount off each unit of the goods, for at most so many units (the dearest first)."""

    off: Decimal
    is_percent: bool = True
    most_units: int | None = None
    most: Decimal | None = None
    goods: Goods = EVERYTHING


class NForPrice(_Reward, frozen=True, tag="n_for_price"):
    """Any ``count`` units of the goods for one price, as often as they are there (the dearest together)."""

    count: int
    price: Decimal
    goods: Goods = EVERYTHING


class NthOff(_Reward, frozen=True, tag="nth_off"):
    """第二件半价: of every ``nth`` units of the goods the cheapest one gets a per cent off."""

    nth: int = 2
    percent: Decimal = Decimal(50)
    goods: Goods = EVERYTHING


class BundlePrice(_Reward, frozen=True, tag="bundle_price"):
    """These parts together cost one price, as often as all of them are there."""

    parts: tuple[Item, ...]
    price: Decimal


class MemberPrice(_Reward, frozen=True, tag="member_price"):
    """These SKUs cost these prices, if that is less."""

    prices: tuple[SkuPrice, ...]


class Gift(_Reward, frozen=True, tag="gift"):
    """满赠: gifts in the parcel, once, or once per full ``every`` of the goods, at most ``most_times``."""

    items: tuple[Item, ...]
    choice: Choice = Choice.ALL
    every: Decimal | None = None
    most_times: int = 1
    goods: Goods = EVERYTHING


class BuyGet(_Reward, frozen=True, tag="buy_get"):
    """买A送B: for every ``buy_count`` units of the goods bought, gifts in the parcel."""

    goods: Goods
    items: tuple[Item, ...]
    buy_count: int = 1
    choice: Choice = Choice.ALL
    most_times: int | None = None


class BuyGetOff(_Reward, frozen=True, tag="buy_get_off"):
    """For every ``buy_count`` units bought, ``get_count`` others in the basket get a per cent off, the cheapest first.

    Where goods belong to both, a unit counts on one side only.
    """

    buy: Goods
    get: Goods
    buy_count: int = 1
    get_count: int = 1
    percent: Decimal = Decimal(100)
    most_times: int | None = None


class FreeShipping(_Reward, frozen=True, tag="free_shipping"):
    """Shipping costs nothing, or so much less."""

    most: Decimal | None = None


class Deposit(_Reward, frozen=True, tag="deposit"):
    """定金膨胀: a deposit paid before counts for more than itself; ``worth`` − ``deposit`` comes off each unit."""

    deposit: Decimal
    worth: Decimal
    goods: Goods = EVERYTHING


class PurchaseLimit(_Reward, frozen=True, tag="purchase_limit"):
    """限购: a buyer gets at most so many units of the goods, in one order or in all orders within ``days``."""

    units: int
    days: int | None = None
    goods: Goods = EVERYTHING


Reward = (
    SpendAndSave | ItemOff | NForPrice | NthOff | BundlePrice | MemberPrice | Gift | BuyGet | BuyGetOff | FreeShipping
    | Deposit | PurchaseLimit
)  # fmt: skip
