"""The company's promotions, brought live by two people as at the desk: written by one, approved by the other.

Some are in force, one waits for its day, one for its approval, one is a draft; newcomers have coupons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import F, Sum

from audit.rules.actors import Actor
from audit.services import versions
from audit.services.versions import Deed, Text
from inventory.models import StockLevel
from inventory.statuses import SkuKind
from promotions.models import Coupon, PromotionVersion
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.goods import Goods
from promotions.rules.rule import Limits, Rule, to_json
from promotions.services import coupons, drafting
from promotions.services.coupons import Term, Wanted
from promotions.services.drafting import NewPromotion
from promotions.services.promotions import GOVERNED

MANAGER, APPROVER = "marketing.manager", "marketing.approver"
LOOK = (
    "view_promotion", "view_promotionversion", "view_campaign", "view_coupon", "view_couponbatch", "view_redemption",
    "view_order", "view_backtest", "view_case", "view_approvalrequest", "view_sku",
)  # fmt: skip
POWERS = {
    MANAGER: (*LOOK, "add_promotion", "change_promotion", "add_coupon", "change_coupon", "add_couponbatch",
              "change_couponbatch"),
    APPROVER: (*LOOK, "approve_promotionversion", "stop_promotionversion"),
}  # fmt: skip
COUPONS = "NEWCOMER"  # the promotion that asks for a coupon
SHARED_CODE = "LIYU20"
PRINTED = 200  # single codes
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """One promotion to be; days count from the last day of the past. ``live`` empty: it does not come that far."""

    code: str
    name: str
    name_en: str
    rule: Rule
    live: int | None = None
    publish: int | None = None  # approved, and live so many days later
    is_submitted: bool = True


@transaction.atomic
def lay(*, until: datetime) -> None:
    """Write every promotion and bring it as far as it is; then make the newcomers' coupons."""
    people = {name: _person(name) for name in POWERS}
    brought = {plan.code: _bring(plan, people, until) for plan in plans(_goods(), until)}
    maker = Actor("person", MANAGER)
    promotion = brought[COUPONS].promotion
    wanted = Wanted("新客礼券 Newcomers' cards", PRINTED, "LIYU", Term(until - 20 * DAY, until + 40 * DAY))
    coupons.make_batch(promotion, wanted, actor=maker, at=until - 20 * DAY)
    coupons.make_shared(promotion, code=SHARED_CODE, most_uses=500, term=Term(until - 20 * DAY, until + 40 * DAY))


def free_codes(most: int) -> list[str]:
    """Return so many codes that buyers may give: single ones that nobody has used, after each the shared one."""
    free = Coupon.objects.filter(promotion__code=COUPONS, batch__isnull=False, is_active=True, taken=0)
    single = free.order_by("pk").values_list("code", flat=True)[: most // 2]
    return [code for one in single for code in (one, SHARED_CODE)]


def plans(goods: Mapping[str, str], until: datetime) -> tuple[Plan, ...]:
    """Return what is to be; ``goods`` says which SKU is behind a word."""
    return (
        Plan("EAST-300", "华东满300赠小样", "A gift for ¥300 to East China",
             Rule(reward=r.Gift((r.Item(goods["gift"]),)), limits=Limits(most_uses=1_000),
                  condition=_both(c.Amount(Decimal(300)), c.ShipsTo(("east",)))), live=-12),
        Plan("618-GIFT", "买A送B", "Buy A, get B",
             Rule(reward=r.BuyGet(Goods(skus=(goods["best"],)), (r.Item(goods["second gift"]),), most_times=2),
                  limits=Limits(most_uses=500)), live=-9),
        Plan("FESTIVAL", "满300减50", "¥50 off from ¥300 on",
             Rule(reward=r.SpendAndSave((r.Step(Decimal(300), Decimal(50)),)), ends_at=until + 12 * DAY,
                  limits=Limits(budget=Decimal(30_000))), live=-3),
        Plan("SNACKS-2ND", "零食第二件半价", "Second snack at half price",
             Rule(reward=r.NthOff(goods=Goods(categories=("snacks",))), ends_at=until + 20 * DAY,
                  limits=Limits(budget=Decimal(600))), live=-1),
        Plan("WARM-10", "门店冬衣九折", "A tenth off warm clothes in the stores",
             Rule(reward=r.ItemOff(Decimal(10), goods=Goods(categories=("apparel",))),
                  condition=c.OnChannel(("POS",)), ends_at=until + 30 * DAY, limits=Limits(budget=Decimal(20_000))),
             live=-15),
        Plan(COUPONS, "新客礼券满99减20", "¥20 off from ¥99 on for newcomers",
             Rule(reward=r.SpendAndSave((r.Step(Decimal(99), Decimal(20)),)), needs_coupon=True,
                  ends_at=until + 40 * DAY, limits=Limits(most_uses_of_a_buyer=1, budget=Decimal(10_000))), live=-20),
        Plan("D12-200", "双12每满200减30", "Double 12: ¥30 off each ¥200",
             Rule(reward=r.SpendAndSave((r.Step(Decimal(200), Decimal(30)),), is_repeated=True),
                  ends_at=until + 20 * DAY, limits=Limits(budget=Decimal(40_000))), publish=15),
        Plan("BABY-3", "母婴任选3件199元", "Any 3 baby goods for ¥199",
             Rule(reward=r.NForPrice(3, Decimal(199), Goods(categories=("baby",))),
                  limits=Limits(budget=Decimal(8_000)))),
        Plan("TEA-SEND", "会员商城免运费", "Free shipping in the member shop",
             Rule(reward=r.FreeShipping(), condition=_both(c.Amount(Decimal(49)), c.OnChannel(("YZ",))),
                  limits=Limits(budget=Decimal(3_000))), is_submitted=False),
    )  # fmt: skip


def _both(*conditions: c.Condition) -> c.Condition:
    return c.All(conditions)


def _bring(plan: Plan, people: Mapping[str, User], until: datetime) -> PromotionVersion:
    """Draft, check, submit and approve a promotion as far as its plan says."""
    decided_at = until + (plan.live or -2) * DAY
    writes = Deed(people[MANAGER], decided_at - DAY, "the demo company")
    publish_at = None if plan.publish is None else until + plan.publish * DAY
    text = Text(to_json(plan.rule), publish_at)
    version = drafting.begin(NewPromotion(plan.code, plan.name, plan.name_en), text, writes)
    if not plan.is_submitted:
        return version
    version = versions.submit(GOVERNED, version.pk, writes, read_digest=version.digest)
    if plan.live is None and plan.publish is None:
        return version
    approves = Deed(people[APPROVER], decided_at, "as agreed in the round on Monday")
    return versions.approve(GOVERNED, version.pk, approves, read_digest=version.digest)


def _person(name: str) -> User:
    """Return one of the two, with exactly the powers they need; without a password until somebody gives them one."""
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if is_new:
        user.set_unusable_password()
        user.save()
        apps = ("promotions", "orders", "audit", "inventory")
        powers = Permission.objects.filter(codename__in=POWERS[name], content_type__app_label__in=apps)
        user.user_permissions.set(powers)
    return User.objects.get(pk=user.pk)


def _goods() -> dict[str, str]:
    """Return the two gifts of which most are free, and the single SKU of which most is there."""
    free = StockLevel.objects.values("sku__code").annotate(free=Sum(F("on_hand") - F("reserved") - F("safety_stock")))
    gifts = free.filter(sku__kind=SkuKind.GIFT, sku__is_active=True).order_by("-free", "sku__code")
    best = free.filter(sku__kind=SkuKind.SINGLE, sku__is_active=True).order_by("-free", "sku__code")
    first, second = gifts.values_list("sku__code", flat=True)[:2]
    return {"gift": first, "second gift": second, "best": best.values_list("sku__code", flat=True)[0]}
