"""What the shop knows of the words in rules: names, prices, stock of gifts, and what is live beside them."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.conf import settings

from audit.rules.sentences import Name
from audit.statuses import VersionStatus
from channels.models import Channel
from inventory.models import Category, Node, Sku
from inventory.queries import promise
from promotions.models import PromotionVersion
from promotions.rules import conditions as c
from promotions.rules import rule as rules
from promotions.rules import vocabulary
from promotions.rules.complaining import ShopFacts
from promotions.rules.naming import Names
from promotions.rules.overlaps import Belonging
from promotions.rules.rewards import BuyGet, Gift
from promotions.rules.rule import PublishedRule, Rule


def names(of: Iterable[Rule]) -> Names:
    """Return what the categories and channels in these rules are called. At most two queries."""
    of = list(of)
    categories = {code for rule in of for goods in vocabulary.goods(rule) for code in goods.categories}
    channels = {
        code
        for rule in of
        for part in vocabulary.conditions(rule.condition)
        if isinstance(part, c.OnChannel)
        for code in part.channels
    }
    return Names(_named(Category, categories), _named(Channel, channels))


def live() -> list[PublishedRule]:
    """Return the rules that are live, by code."""
    versions = PromotionVersion.objects.filter(status=VersionStatus.LIVE).select_related("promotion")
    return [
        PublishedRule(version.promotion.code, version.number, rules.from_json(version.body))
        for version in versions.order_by("promotion__code")
    ]


def facts(rule: Rule, code: str, *, on_date: date) -> ShopFacts:
    """Return what must be known to judge a rule; ``code`` is its promotion's, whose live version does not count."""
    skus = dict(Sku.objects.filter(code__in=vocabulary.skus(rule)).values_list("code", "list_price"))
    goods = vocabulary.goods(rule)
    brands = {brand for which in goods for brand in which.brands}
    known = set(Sku.objects.filter(brand__in=brands).values_list("brand", flat=True).distinct()) if brands else set()
    return ShopFacts(
        prices=skus,
        gift_units=_gift_units(rule, on_date),
        categories=frozenset(Category.objects.values_list("code", flat=True)),
        brands=frozenset(known),
        channels=frozenset(Channel.objects.values_list("code", flat=True)),
        gives=_gives(published for published in live() if published.code != code),
        most_unbounded=settings.PROMOTION_TWO_APPROVALS_ABOVE if _refuses_unbounded() else None,
    )


def belonging(of: Iterable[Rule]) -> Belonging:
    """Return category and brand of every SKU that these rules name."""
    codes = {code for rule in of for code in vocabulary.skus(rule)}
    rows = Sku.objects.filter(code__in=codes).values_list("code", "category__code", "brand")
    return {code: (category, brand) for code, category, brand in rows}


def _refuses_unbounded() -> bool:
    return bool(settings.PROMOTION_UNBOUNDED_BUDGETS == "refuse")


def _named(model: type[Category] | type[Channel], codes: set[str]) -> dict[str, Name]:
    if not codes:
        return {}
    rows = model.objects.filter(code__in=codes).values_list("code", "name", "name_en")
    return {code: Name(name, name_en) for code, name, name_en in rows}


def _gift_units(rule: Rule, on_date: date) -> Mapping[str, int] | None:
    wanted = vocabulary.gifts(rule.reward)
    if not wanted:
        return None
    ids = dict(Sku.objects.filter(code__in=wanted).values_list("code", "pk"))
    nodes = set(Node.objects.filter(is_active=True).values_list("pk", flat=True))
    units = promise.availability(set(ids.values()), nodes, on_date=on_date)
    return {code: units[sku_id].total for code, sku_id in ids.items()}


def _gives(published: Iterable[PublishedRule]) -> dict[str, frozenset[str]]:
    """Return which gifts these rules give for which SKU."""
    found: dict[str, frozenset[str]] = {}
    for one in published:
        if isinstance(one.rule.reward, Gift | BuyGet):
            for sku in vocabulary.triggers(one.rule):
                found[sku] = found.get(sku, frozenset()) | frozenset(vocabulary.gifts(one.rule.reward))
    return found


def prices(codes: Iterable[str]) -> dict[str, tuple[int, Decimal, str, str]]:
    """Return id, list price, category and brand of SKUs, by code."""
    rows = Sku.objects.filter(code__in=set(codes)).values_list("code", "pk", "list_price", "category__code", "brand")
    return {code: (pk, price, category, brand) for code, pk, price, category, brand in rows}
