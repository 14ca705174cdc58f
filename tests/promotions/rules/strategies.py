"""Baskets and rules that nobody would think of."""

from datetime import time
from decimal import Decimal as D

from hypothesis import strategies as st

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import BasketLine, Circumstances, Left
from promotions.rules.goods import EVERYTHING, Goods
from promotions.rules.rule import PublishedRule, Rule
from tests.promotions.rules.shop import NOON, basket

SKUS = "ABCDE"
CATEGORY = dict(zip(SKUS, ("cups", "cups", "pens", "pens", ""), strict=True))
money = st.decimals("0", "400", places=2)
percents = st.decimals("0", "100", places=1)
counts = st.integers(1, 4)
skus = st.sampled_from(SKUS)

goods = st.one_of(
    st.just(EVERYTHING),
    st.builds(
        Goods, skus=st.lists(skus, max_size=2, unique=True).map(tuple),
        categories=st.lists(st.sampled_from(["cups", "pens"]), max_size=1).map(tuple),
        except_skus=st.lists(skus, max_size=1).map(tuple),
    ),
)  # fmt: skip
items = st.lists(st.builds(r.Item, st.sampled_from(["G", "H"]), st.integers(1, 2)), min_size=1, max_size=2,
                 unique_by=lambda item: item.sku).map(tuple)  # fmt: skip


@st.composite
def _steps(draw):
    """Return steps of which a higher one never takes less off."""
    amounts = sorted(draw(st.sets(st.integers(1, 300), min_size=1, max_size=3)))
    offs = sorted(draw(st.lists(st.decimals("0", "100", places=1), min_size=len(amounts), max_size=len(amounts))))
    return tuple(r.Step(D(amount), off) for amount, off in zip(amounts, offs, strict=True))


spend_and_save = st.builds(r.SpendAndSave, _steps(), st.booleans(), most=st.none() | money, goods=goods)
item_off = st.builds(r.ItemOff, percents, st.booleans(), st.none() | counts, st.none() | money, goods)
# Together they soon take more than there is.
crowding = st.builds(
    r.ItemOff, st.sampled_from([D(30), D(60), D(80), D(90)]),
    goods=st.sampled_from([EVERYTHING, Goods(skus=("A",)), Goods(categories=("cups",))]),
)  # fmt: skip
n_for_price = st.builds(r.NForPrice, counts, money, goods)
nth_off = st.builds(r.NthOff, counts, percents, goods)
bundle_price = st.builds(
    r.BundlePrice, st.lists(st.builds(r.Item, skus, st.integers(1, 2)), min_size=1, max_size=3).map(tuple), money
)
member_price = st.builds(r.MemberPrice, st.lists(st.builds(r.SkuPrice, skus, money), max_size=3).map(tuple))
deposit = st.builds(r.Deposit, money, money, goods)
free_shipping = st.builds(r.FreeShipping, st.none() | money)
buy_get_off = st.builds(r.BuyGetOff, goods, goods, counts, counts, percents, st.none() | counts)
gift = st.builds(r.Gift, items, st.sampled_from(r.Choice), st.none() | st.integers(1, 99).map(D), counts, goods)
buy_get = st.builds(r.BuyGet, goods, items, counts, st.sampled_from(r.Choice), st.none() | counts)
limit = st.builds(r.PurchaseLimit, st.integers(0, 9), st.none() | st.just(7), goods)
# Rewards of which more goods never take less off; "the cheapest of what is got" is not one of them.
growing = st.one_of(
    spend_and_save, item_off, n_for_price, nth_off, bundle_price, member_price, deposit, free_shipping
)  # fmt: skip
rewards = st.one_of(growing, buy_get_off, gift, buy_get, limit)

_words = st.lists(st.sampled_from(["POS", "JD", "31", "east", "gold", "vip", "alipay"]), max_size=2).map(tuple)
_leaves = st.one_of(
    st.builds(c.Amount, money, st.none() | money, goods),
    st.builds(c.Quantity, st.integers(0, 4), st.none() | st.integers(0, 9), goods),
    st.builds(c.ShipsTo, _words), st.builds(c.OnChannel, _words), st.builds(c.AtStore, _words),
    st.builds(c.Member, _words), st.builds(c.Segment, _words), st.builds(c.PaysBy, _words),
    st.builds(c.OrdersBefore, st.integers(0, 2), st.none() | st.integers(0, 2)),
    st.builds(c.OnWeekdays, st.lists(st.integers(1, 7), max_size=3).map(tuple)),
    st.builds(c.InHours, st.times(), st.just(time(12))),
)  # fmt: skip
conditions = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        st.builds(c.All, st.lists(parts, max_size=3).map(tuple)),
        st.builds(c.Any, st.lists(parts, max_size=3).map(tuple)), st.builds(c.Not, parts),
    ),
    max_leaves=4,
)  # fmt: skip


_always = st.just(c.ALWAYS)


def rules(kinds, conditions=_always):
    """Return rules with these rewards."""
    return st.builds(
        Rule, reward=kinds, condition=conditions, priority=st.integers(0, 2), group=st.sampled_from(["", "", "a", "b"]),
        is_exclusive=st.sampled_from([False, False, False, True]), needs_coupon=st.sampled_from([False, False, True]),
    )  # fmt: skip


def numbered(made):
    """Return rules under the codes R0, R1 …"""
    return [PublishedRule(f"R{place}", 1, rule) for place, rule in enumerate(made)]


any_rules = st.one_of(
    st.lists(rules(rewards, st.one_of(_always, conditions)), max_size=6),
    st.lists(rules(st.one_of(crowding, growing)), max_size=6),
).map(numbered)


@st.composite
def lines(draw, max_size=4, min_size=0):
    """Return lines of the five SKUs; E belongs to no category, and one SKU is unknown to us."""
    asked = draw(
        st.lists(
            st.tuples(st.sampled_from((*SKUS, "")), st.integers(1, 5), money, st.just(D(0)) | money),
            min_size=min_size,
            max_size=max_size,
        )
    )
    return tuple(
        BasketLine(number, number, quantity, price, discount, sku, CATEGORY.get(sku, ""))
        for number, (sku, quantity, price, discount) in enumerate(asked, start=1)
    )  # fmt: skip


@st.composite
def baskets(draw, max_size=4):
    """Return baskets of many sorts."""
    return basket(
        *draw(lines(max_size)), shipping=draw(st.sampled_from([D(0), D(8)])),
        region=draw(st.sampled_from(["31", "44", "", "US"])), channel_code=draw(st.sampled_from(["POS", "JD"])),
        tier=draw(st.sampled_from(["", "gold"])), segments=frozenset(draw(st.sets(st.sampled_from(["vip", "b"])))),
        orders_before=draw(st.none() | st.integers(0, 3)), payment=draw(st.sampled_from(["", "alipay"])),
        coupons=draw(st.sampled_from([(), ("ONE",), ("ONE", "TWO")])), chosen_gifts=draw(st.sampled_from([(), ("H",)])),
        is_priced_here=draw(st.sampled_from([True, True, True, False])), placed_at=NOON,
    )  # fmt: skip


circumstances = st.builds(
    Circumstances,
    left=st.dictionaries(
        st.sampled_from(["R0", "R1"]), st.builds(Left, st.none() | st.integers(0, 1), st.none() | st.integers(0, 1),
                                                 st.none() | money)),
    gift_units=st.none() | st.fixed_dictionaries({"G": st.integers(0, 4), "H": st.integers(0, 4)}),
    coupon_of=st.fixed_dictionaries({"ONE": st.sampled_from(["R0", "R1"]), "TWO": st.sampled_from(["R1", "R2"])}),
)  # fmt: skip
