"""Who may write, approve and stop a promotion: a matrix of rights, and every verb refuses what lies outside."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission, User
from guardian.shortcuts import assign_perm

from audit.models import ApprovalRequest
from audit.services import versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, Text
from promotions.models import Promotion, PromotionVersion, Scope
from promotions.rules import conditions as c
from promotions.rules import rule as rules
from promotions.rules.goods import Goods
from promotions.rules.rewards import FreeShipping, ItemOff
from promotions.rules.rule import Limits, Rule
from promotions.services import drafting, permissions, stopping
from promotions.services.drafting import NewPromotion
from promotions.services.permissions import Right
from promotions.services.promotions import GOVERNED
from tests import small_company as company
from tests.promotions.services import scenes
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
SMALL = Limits(budget=Decimal(100))
ON_JD = Rule(reward=FreeShipping(), condition=c.OnChannel(("JD",)), limits=SMALL)
ON_TWO = Rule(reward=FreeShipping(), condition=c.OnChannel(("JD", "TM")), limits=SMALL)
IN_SHANGHAI = Rule(reward=FreeShipping(), condition=c.ShipsTo(("31",)), limits=SMALL)
FOR_OAK = Rule(reward=ItemOff(Decimal(10), goods=Goods(brands=("Oak",))), limits=SMALL)
FOR_ALL = Rule(reward=FreeShipping(), limits=SMALL)
RULES = {"jd": ON_JD, "two": ON_TWO, "shanghai": IN_SHANGHAI, "oak": FOR_OAK, "all": FOR_ALL}
# who → the rules on which the right reaches
REACH = {
    "nobody": set(),
    "everywhere": {"jd", "two", "shanghai", "oak", "all"},
    "this one": {"jd", "two", "shanghai", "oak", "all"},
    "channel JD": {"jd"},
    "channels JD and TM": {"jd", "two"},
    "channel TM": set(),
    "East China": {"shanghai"},
    "brand Oak": {"oak"},
    "brand Elm": set(),
    "a group for JD": {"jd"},
    "another right for JD": set(),
    "away, for JD": set(),
}
SUFFIX = {Right.WRITE: "write_in_scope", Right.APPROVE: "approve_in_scope", Right.STOP: "stop_in_scope"}


@pytest.fixture(autouse=True)
def shops(db):
    company.channel("JD")
    company.channel("TM")
    cup = company.sku("CUP")
    cup.brand = "Oak"
    cup.save()


def field(kind, code):
    return Scope.objects.get_or_create(kind=kind, code=code)[0]


def someone(who, right, promotion=None):
    """Return a person with a right somewhere."""
    user, own = User.objects.create_user("someone"), SUFFIX[right]
    where = {
        "channel JD": [("channel", "JD")], "channels JD and TM": [("channel", "JD"), ("channel", "TM")],
        "channel TM": [("channel", "TM")], "East China": [("region", "east")], "brand Oak": [("brand", "Oak")],
        "brand Elm": [("brand", "Elm")], "away, for JD": [("channel", "JD")],
    }  # fmt: skip
    for kind, code in where.get(who, ()):
        assign_perm(own, user, field(kind, code))
    if who == "everywhere":
        codename = permissions.CODES[right].everywhere.split(".")[1]
        user.user_permissions.add(Permission.objects.get(codename=codename))
    if who == "this one":
        assign_perm(permissions.CODES[right].on_one, user, promotion)
    if who == "a group for JD":
        group = Group.objects.create(name="JD's people")
        user.groups.add(group)
        assign_perm(own, group, field("channel", "JD"))
    if who == "another right for JD":
        assign_perm(SUFFIX[Right.STOP if right is Right.WRITE else Right.WRITE], user, field("channel", "JD"))
    if who == "away, for JD":
        User.objects.update(is_active=False)
    return User.objects.get(pk=user.pk)


def promotion_of(rule, brand="Oak"):
    return Promotion.objects.create(code="P", name="P", brand=brand, created_at=NOON)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("what", RULES)
@pytest.mark.parametrize("who", REACH)
def test_a_right_reaches(who, what, right):
    promotion = promotion_of(RULES[what])
    user = someone(who, right, promotion)
    assert permissions.may(user, right, promotion, [RULES[what]]) is (what in REACH[who])


def test_a_right_for_some_of_several_rules_is_none():
    user = someone("channel JD", Right.WRITE)
    promotion = promotion_of(ON_JD)
    assert permissions.may(user, Right.WRITE, promotion, [ON_JD])
    assert not permissions.may(user, Right.WRITE, promotion, [ON_JD, ON_TWO])
    assert not permissions.may(user, Right.WRITE, promotion, [])


def text(rule):
    return Text(rules.to_json(rule))


def deed(user, reason="for the festival"):
    return Deed(user, NOON, reason)


def test_a_manager_of_a_channel_begins_and_writes_on_promotions_of_it():
    user = someone("channel JD", Right.WRITE)
    draft = drafting.begin(NewPromotion("P", "P"), text(ON_JD), deed(user))
    less = Rule(reward=FreeShipping(Decimal(8)), condition=ON_JD.condition, limits=SMALL)
    draft = drafting.edit(draft, text(less), deed(user), read_digest=draft.digest)
    drafting.check(draft, deed(user))
    assert drafting.submit(draft, deed(user), read_digest=draft.digest).status == "submitted"
    assert drafting.withdraw(draft, deed(user)).status == "draft"
    assert drafting.discard(draft, deed(user)).status == "retired"


def refused(verb):
    """Assert that a verb refuses and changes nothing."""
    models = (Promotion, PromotionVersion, ApprovalRequest)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    with pytest.raises(NotAllowed):
        verb()
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


@pytest.mark.parametrize("rule", [ON_TWO, FOR_ALL, IN_SHANGHAI], ids=["two channels", "all", "a region"])
def test_beyond_the_channel_nothing_is_begun(rule):
    user = someone("channel JD", Right.WRITE)
    refused(lambda: drafting.begin(NewPromotion("P", "P"), text(rule), deed(user)))


def test_a_rule_does_not_grow_beyond_the_field_nor_is_one_taken_into_it():
    user = someone("channel JD", Right.WRITE)
    mine = drafting.begin(NewPromotion("MINE", "P"), text(ON_JD), deed(user))
    refused(lambda: drafting.edit(mine, text(ON_TWO), deed(user), read_digest=mine.digest))
    theirs = scenes.submitted("THEIRS", ON_TWO)
    writer = deed(scenes.person("author"))
    versions.withdraw(GOVERNED, theirs.pk, writer)
    theirs.refresh_from_db()
    refused(lambda: drafting.edit(theirs, text(ON_JD), deed(user), read_digest=theirs.digest))
    refused(lambda: drafting.check(theirs, deed(user)))
    refused(lambda: drafting.submit(theirs, deed(user), read_digest=theirs.digest))
    refused(lambda: drafting.discard(theirs, deed(user)))


def test_what_holds_everywhere_is_not_replaced_from_within_a_field():
    user = someone("channel JD", Right.WRITE)
    live = scenes.live("P", FOR_ALL)
    refused(lambda: drafting.next_version(live.promotion, text(ON_JD), deed(user)))
    mine = scenes.live("MINE", ON_JD)
    assert drafting.next_version(mine.promotion, text(ON_JD), deed(user)).number == 2


def test_an_approver_of_a_field_approves_inside_it_only():
    user = someone("channel JD", Right.APPROVE)
    inside, outside = scenes.submitted("IN", ON_JD), scenes.submitted("OUT", ON_TWO)
    refused(lambda: versions.approve(GOVERNED, outside.pk, deed(user), read_digest=outside.digest))
    refused(lambda: versions.send_back(GOVERNED, outside.pk, deed(user), read_digest=outside.digest))
    assert versions.approve(GOVERNED, inside.pk, deed(user), read_digest=inside.digest).status == "live"


def test_an_approver_of_a_field_does_not_replace_what_holds_everywhere():
    user = someone("channel JD", Right.APPROVE)
    scenes.live("P", FOR_ALL)
    narrower = scenes.submitted("P", ON_JD)
    refused(lambda: versions.approve(GOVERNED, narrower.pk, deed(user), read_digest=narrower.digest))


def test_nobody_approves_their_own_in_a_field_either():
    user = someone("channel JD", Right.WRITE)
    assign_perm("approve_in_scope", user, field("channel", "JD"))
    user = User.objects.get(pk=user.pk)
    mine = drafting.begin(NewPromotion("P", "P"), text(ON_JD), deed(user))
    drafting.submit(mine, deed(user), read_digest=mine.digest)
    refused(lambda: versions.approve(GOVERNED, mine.pk, deed(user), read_digest=mine.digest))


def test_who_may_stop_in_a_field_stops_inside_it_only():
    user = someone("channel JD", Right.STOP)
    inside, outside = scenes.live("IN", ON_JD), scenes.live("OUT", FOR_ALL)
    for verb in (stopping.stop, stopping.retire):
        refused(lambda verb=verb: verb(outside, deed(user)))
    assert stopping.stop(inside, deed(user)).status == "paused"
    assert stopping.resume(inside, deed(user)).status == "live"
    assert stopping.retire(inside, deed(user)).status == "retired"


def test_going_back_needs_the_right_for_both_versions():
    user = someone("channel JD", Right.STOP)
    scenes.live("P", FOR_ALL)
    narrower = scenes.live("P", ON_JD)
    last = scenes.live("P", ON_JD)
    refused(lambda: stopping.roll_back(last, deed(user), to=1))
    assert stopping.roll_back(last, deed(user), to=narrower.number).status == "live"


def test_a_body_that_is_no_rule_is_only_for_those_with_the_right_everywhere():
    user = someone("channel JD", Right.WRITE)
    promotion = promotion_of(ON_JD)
    version = versions.draft(GOVERNED, promotion.pk, Text({"reward": {"is": "magic"}}), deed(scenes.person("author")))
    assert not permissions.may_version(user, Right.WRITE, version)
    refused(lambda: drafting.begin(NewPromotion("Q", "Q"), Text({"reward": {"is": "magic"}}), deed(user)))


def test_promotions_are_seen_by_field():
    for code, rule in RULES.items():
        scenes.submitted(code, rule)
    Promotion.objects.filter(code="oak").update(brand="Oak")
    keys = dict(Promotion.objects.values_list("code", "pk"))
    seen = {who: permissions.in_fields(someone_new(who)) for who in ("channel JD", "East China", "brand Oak", "nobody")}
    assert seen == {
        "channel JD": {keys["jd"]}, "East China": {keys["shanghai"]}, "brand Oak": {keys["oak"]}, "nobody": set(),
    }  # fmt: skip


def someone_new(who):
    user = someone(who, Right.APPROVE)
    User.objects.filter(pk=user.pk).update(username=who)
    return user


@pytest.mark.parametrize("count", [1, 4])
def test_what_is_seen_costs_the_same_however_many_there_are(count, django_assert_num_queries):
    user = someone("channel JD", Right.WRITE)
    for number in range(count):
        scenes.submitted(f"P{number}", ON_JD)
    with django_assert_num_queries(4):  # the fields of each right, the versions
        assert len(permissions.in_fields(user)) == count
