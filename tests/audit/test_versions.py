"""A version's way from draft to retired, with every short cut refused; promotions are the example."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, connection, transaction

from audit.models import Approval, ApprovalRequest, Case
from audit.rules.sentences import say
from audit.services import approvals, versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, EditedMeanwhile, Governed, NotGood, Text
from promotions.models import Promotion, PromotionVersion
from tests.races import race
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
BODY = {"reward": {"is": "free_shipping"}}
OTHER = {"reward": {"is": "free_shipping", "most": "8"}}
APPROVE = "promotions.approve_promotionversion"
LATER = NOON + timedelta(hours=9)
applied = []


def governed(needed=1, wrong=()):
    return Governed(
        model=PromotionVersion,
        approve_permission=APPROVE,
        complain=lambda version: wrong,
        name=lambda version: f"GIFT, version {version.number}",
        url=lambda version: f"/admin/promotions/promotionversion/{version.pk}/change/",
        describe=lambda version: say("Free shipping."),
        changes=lambda old, new: [say("From %(old)s.", old=old.number if old else 0)],
        effect=lambda version: [say("Costs little.")],
        approvals_needed=lambda version: needed,
        may_approve=lambda user, version: user.has_perm(APPROVE),
        applied=lambda rows: applied.append([(row.number, row.status) for row in rows]),
    )


GOVERNED = governed()


def person(name, *, may_approve=False, is_superuser=False):
    user = User.objects.create_user(name, is_superuser=is_superuser)
    if may_approve:
        user.user_permissions.add(Permission.objects.get(codename="approve_promotionversion"))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def gift(db):
    applied.clear()
    return Promotion.objects.create(code="GIFT", name="礼", created_at=NOON)


@pytest.fixture
def author(db):
    return person("author", is_superuser=True)


@pytest.fixture
def boss(db):
    return person("boss", may_approve=True)


def by(user, at=NOON, reason="because"):
    return Deed(user, at, reason)


def drafted(gift, author, body=BODY, publish_at=None):
    return versions.draft(GOVERNED, gift.pk, Text(body, publish_at), by(author))


def submitted(gift, author, rules=GOVERNED, **text):
    version = drafted(gift, author, **text)
    return versions.submit(rules, version.pk, by(author), read_digest=version.digest)


def live(gift, author, boss, **text):
    version = submitted(gift, author, **text)
    return versions.approve(GOVERNED, version.pk, by(boss), read_digest=version.digest)


def standing(gift):
    return list(gift.versions.order_by("number").values_list("number", "status"))


def test_a_version_goes_from_draft_to_live_with_another_persons_yes(gift, author, boss):
    version = drafted(gift, author)
    assert standing(gift) == [(1, "draft")]
    versions.check(GOVERNED, version.pk, by(author))
    assert standing(gift) == [(1, "checked")]
    versions.submit(GOVERNED, version.pk, by(author, reason="for the holidays"), read_digest=version.digest)
    request = ApprovalRequest.objects.get()
    assert (request.object_key, request.author, request.reason, request.approvals_needed, request.status) == (
        f"promotions.promotionversion:{version.pk}", author, "for the holidays", 1, "waiting",
    )  # fmt: skip
    assert (request.title["text"], request.changes[0]["values"], request.effect[0]["text"]) == (
        "Free shipping.", {"old": 0}, "Costs little.",
    )  # fmt: skip
    versions.approve(GOVERNED, version.pk, by(boss), read_digest=version.digest)
    version.refresh_from_db()
    assert (version.status, version.live_at) == ("live", NOON)
    assert applied == [[(1, "live")]]
    reasons = version.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(reasons) == [
        "person:author: because", "person:author: checked", "person:author: for the holidays",
        "person:boss: because", "person:boss: because",
    ]  # fmt: skip


def test_a_new_version_takes_the_place_of_the_one_in_force(gift, author, boss):
    live(gift, author, boss)
    live(gift, author, boss, body=OTHER)
    assert standing(gift) == [(1, "retired"), (2, "live")]
    assert applied[-1] == [(1, "retired"), (2, "live")]
    assert ApprovalRequest.objects.last().changes[0]["values"] == {"old": 1}


def test_a_scheduled_version_goes_live_at_its_minute_and_not_before(gift, author, boss):
    live(gift, author, boss)
    version = live(gift, author, boss, body=OTHER, publish_at=LATER)
    assert version.status == "scheduled"
    assert versions.publish_due(GOVERNED, at=LATER - timedelta(seconds=1)) == []
    assert standing(gift) == [(1, "live"), (2, "scheduled")]
    assert [row.number for row in versions.publish_due(GOVERNED, at=LATER)] == [2]
    assert (standing(gift), versions.publish_due(GOVERNED, at=LATER)) == ([(1, "retired"), (2, "live")], [])


def test_an_author_never_approves_their_own_not_even_as_superuser(gift, author):
    version = submitted(gift, author)
    with pytest.raises(NotAllowed, match="You wrote on this version"):
        versions.approve(GOVERNED, version.pk, by(author), read_digest=version.digest)
    assert (standing(gift), Approval.objects.count()) == ([(1, "submitted")], 0)


def test_whoever_wrote_on_it_never_approves_it_even_when_another_person_wrote_last(gift, author, boss):
    version = versions.draft(GOVERNED, gift.pk, Text(BODY), by(boss))
    version = versions.edit(GOVERNED, version.pk, Text(OTHER), by(author), read_digest=version.digest)
    versions.submit(GOVERNED, version.pk, by(author), read_digest=version.digest)
    with pytest.raises(NotAllowed, match="You wrote on this version"):
        versions.approve(GOVERNED, version.pk, by(boss), read_digest=version.digest)
    assert standing(gift) == [(1, "submitted")]


def test_the_database_itself_refuses_ones_own_yes(gift, author):
    version = submitted(gift, author)
    own = Approval(
        request=ApprovalRequest.objects.get(), author=author, approver=author, is_yes=True, digest=version.digest,
        decided_at=NOON,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="nobody_approves_their_own"), transaction.atomic():
        own.save()


def test_who_lacks_the_right_cannot_approve(gift, author):
    version = submitted(gift, author)
    with pytest.raises(NotAllowed, match="You may not approve this"):
        versions.approve(GOVERNED, version.pk, by(person("clerk")), read_digest=version.digest)
    assert (standing(gift), Approval.objects.count()) == ([(1, "submitted")], 0)


def test_two_approvals_are_two_persons(gift, author, boss):
    rules = governed(needed=2)
    version = submitted(gift, author, rules)
    versions.approve(rules, version.pk, by(boss), read_digest=version.digest)
    assert standing(gift) == [(1, "submitted")]
    with pytest.raises(NotAllowed, match="You have decided about this request already"):
        versions.approve(rules, version.pk, by(boss), read_digest=version.digest)
    versions.approve(rules, version.pk, by(person("second", may_approve=True)), read_digest=version.digest)
    assert standing(gift) == [(1, "live")]


def test_what_is_sent_back_is_a_draft_again_and_needs_a_new_yes(gift, author, boss):
    version = submitted(gift, author)
    with pytest.raises(NotAllowed, match="Say why"):
        versions.send_back(GOVERNED, version.pk, by(boss, reason=" "), read_digest=version.digest)
    versions.send_back(GOVERNED, version.pk, by(boss, reason="too dear"), read_digest=version.digest)
    assert (standing(gift), ApprovalRequest.objects.get().status) == ([(1, "draft")], "rejected")
    edited = versions.edit(GOVERNED, version.pk, Text(OTHER), by(author), read_digest=version.digest)
    versions.submit(GOVERNED, version.pk, by(author), read_digest=edited.digest)
    with pytest.raises(NotAllowed, match="It has changed since you read it"):
        versions.approve(GOVERNED, version.pk, by(boss), read_digest=version.digest)
    versions.approve(GOVERNED, version.pk, by(boss), read_digest=edited.digest)
    assert standing(gift) == [(1, "live")]


def test_two_people_never_overwrite_each_other(gift, author, boss):
    version = drafted(gift, author)
    versions.edit(GOVERNED, version.pk, Text(OTHER), by(boss), read_digest=version.digest)
    with pytest.raises(EditedMeanwhile, match="Somebody else has changed this draft"):
        versions.edit(GOVERNED, version.pk, Text(BODY), by(author), read_digest=version.digest)
    version.refresh_from_db()
    assert (version.body, version.writers) == (OTHER, sorted([author.pk, boss.pk]))


def test_only_one_version_is_prepared_at_a_time(gift, author):
    drafted(gift, author)
    with pytest.raises(NotAllowed, match="Version 1 is being prepared already"):
        drafted(gift, author)
    assert standing(gift) == [(1, "draft")]


def test_all_that_is_wrong_is_said_at_once(gift, author):
    rules = governed(wrong=[say("No goods."), say("No end.")])
    version = drafted(gift, author)
    for verb in (
        partial(versions.check, rules, version.pk, by(author)),
        partial(versions.submit, rules, version.pk, by(author), read_digest=version.digest),
    ):
        with pytest.raises(NotGood) as refused:
            verb()
        assert [str(reason) for reason in refused.value.reasons] == ["No goods.", "No end."]
    assert (standing(gift), ApprovalRequest.objects.count()) == ([(1, "draft")], 0)


@pytest.mark.parametrize("column", ["body", "digest", "number", "publish_at"])
def test_the_database_itself_keeps_what_was_submitted(gift, author, column):
    version = submitted(gift, author)
    changed = {"body": OTHER, "digest": "0", "number": 9, "publish_at": LATER}[column]
    with pytest.raises(IntegrityError, match="it never changes"), transaction.atomic():
        PromotionVersion.objects.filter(pk=version.pk).update(**{column: changed})
    with pytest.raises(NotAllowed, match="never changes"):
        versions.edit(GOVERNED, version.pk, Text(OTHER), by(author), read_digest=version.digest)


def test_what_was_not_approved_never_goes_live_however_its_status_came_about(gift, author):
    version = submitted(gift, author, publish_at=LATER)
    PromotionVersion.objects.filter(pk=version.pk).update(status="scheduled")
    with pytest.raises(NotAllowed, match="Nobody else has approved exactly this"):
        versions.publish_due(GOVERNED, at=LATER)
    assert standing(gift) == [(1, "scheduled")]


def test_one_person_stops_at_once_and_the_others_are_asked_to_look(gift, author, boss):
    version = live(gift, author, boss)
    versions.pause(GOVERNED, version.pk, by(author, reason="wrong price"))
    [case] = Case.objects.all()
    assert (standing(gift), case.kind, case.subject, str(case.why["values"]["reason"])) == (
        [(1, "paused")], "version_stopped", "GIFT, version 1", "wrong price",
    )  # fmt: skip
    assert applied[-1] == [(1, "paused")]
    versions.resume(GOVERNED, version.pk, by(boss))
    case.refresh_from_db()
    assert (standing(gift), case.status, applied[-1]) == ([(1, "live")], "resolved", [(1, "live")])


def test_a_roll_back_needs_no_new_yes_because_that_version_had_one(gift, author, boss):
    live(gift, author, boss)
    second = live(gift, author, boss, body=OTHER)
    third = versions.roll_back(GOVERNED, second.pk, by(person("clerk")), to=1)
    assert standing(gift) == [(1, "retired"), (2, "retired"), (3, "live")]
    assert (third.body, third.based_on, third.live_at) == (BODY, 1, NOON)
    approvals.require(third.object_key, third.digest)
    assert applied[-1] == [(2, "retired"), (3, "live")]


def test_nothing_rolls_back_to_what_was_never_approved(gift, author, boss):
    discarded = drafted(gift, author, body=OTHER)
    versions.discard(GOVERNED, discarded.pk, by(author))
    current = live(gift, author, boss)
    with pytest.raises(NotAllowed, match="Nobody else has approved exactly this"):
        versions.roll_back(GOVERNED, current.pk, by(author), to=1)
    assert standing(gift) == [(1, "retired"), (2, "live")]


def test_what_waits_or_is_scheduled_can_be_withdrawn(gift, author, boss):
    version = submitted(gift, author)
    versions.withdraw(GOVERNED, version.pk, by(author))
    assert (standing(gift), ApprovalRequest.objects.get().status) == ([(1, "draft")], "withdrawn")
    versions.discard(GOVERNED, version.pk, by(author))
    scheduled = live(gift, author, boss, publish_at=LATER)
    versions.withdraw(GOVERNED, scheduled.pk, by(author))
    assert (standing(gift), versions.publish_due(GOVERNED, at=LATER)) == ([(1, "retired"), (2, "draft")], [])


@pytest.mark.parametrize(
    "verb", [versions.pause, versions.resume, versions.retire, versions.discard, versions.withdraw]
)
def test_a_retired_version_stays_retired(gift, author, boss, verb):
    version = live(gift, author, boss)
    versions.retire(GOVERNED, version.pk, by(boss))
    before = len(applied)
    with pytest.raises(NotAllowed):
        verb(GOVERNED, version.pk, by(author))
    assert (standing(gift), len(applied)) == ([(1, "retired")], before)


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_the_same_time_put_it_in_force_once(gift, author, boss):
    second = person("second", may_approve=True)
    version = submitted(gift, author)
    answers = race(
        [partial(versions.approve, GOVERNED, version.pk, by(user), read_digest=version.digest)
         for user in (boss, second)]
    )  # fmt: skip
    refused = [answer for answer in answers if isinstance(answer, NotAllowed)]
    assert (len(refused), standing(gift), len(applied), Approval.objects.count()) == (1, [(1, "live")], 1, 1)
    assert connection.vendor == "postgresql"
