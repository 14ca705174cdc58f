"""Budgets that go too fast: the case that opens, what it says, and how it closes again."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from promotions.queries import usage
from promotions.rules.rewards import SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from promotions.services import limits, pace
from promotions.services.limits import Taking
from promotions.services.promotions import rule_of
from tests.promotions.services import scenes
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
END = NOON + 100 * HOUR
SAVE_5 = SpendAndSave((Step(D(20), D(5)),))


def promotion(code="SAVE", *, ends_at=END, **scarce):
    return scenes.live(code, Rule(reward=SAVE_5, starts_at=NOON, ends_at=ends_at, limits=Limits(**scarce)))


def take(version, count, amount, *, at, paid=False):
    """Let so many orders take so much each."""
    numbers = [f"{version.pk}-{at:%d%H%M}-{number}-{paid}" for number in range(count)]
    takings = [Taking(number, "JD", version.promotion_id, version.number, D(amount)) for number in numbers]
    assert limits.take(takings, at=at, paid=numbers if paid else ()) == []
    return numbers


def cases():
    return [(case.subject, case.status, case.why["text"] % case.why["values"]) for case in Case.objects.order_by("pk")]


def test_a_budget_that_will_not_last_opens_one_case_with_the_date(db):
    version = promotion(budget=D(1000))
    at = NOON + 10 * HOUR
    take(version, 20, "10", at=at - HOUR)
    assert pace.watch(at=at) == 1
    words = ("¥200.00 of ¥1,000.00 are taken; at this speed it is used up on 2026-11-04 14:00, "
             "before its end at 2026-11-06 16:00.")  # fmt: skip
    assert cases() == [("SAVE", "open", words)]
    assert Case.objects.get().subject_url == f"/admin/promotions/promotion/{version.promotion_id}/change/"
    assert (pace.watch(at=at), Case.objects.count()) == (0, 1)


def test_the_case_closes_when_the_pace_is_even_again(db):
    version = promotion(budget=D(1000))
    numbers = take(version, 20, "10", at=NOON + HOUR)
    pace.watch(at=NOON + 10 * HOUR)
    limits.undo(numbers, at=NOON + 11 * HOUR)
    assert pace.watch(at=NOON + 11 * HOUR) == 0
    case = Case.objects.get()
    assert (case.status, case.resolved_by, case.resolution) == ("resolved", "job:pace", pace.OVER)


def test_a_stopped_promotion_and_one_that_ended_need_nobody(db):
    stopped, ended = promotion(budget=D(100)), promotion("ENDED", most_uses=10)
    take(stopped, 8, "10", at=NOON + HOUR)
    take(ended, 10, "5", at=NOON + HOUR)
    assert pace.watch(at=NOON + 2 * HOUR) == 2
    scenes.stop(stopped, at=NOON + 3 * HOUR)
    assert pace.watch(at=END) == 0
    assert set(Case.objects.filter(kind=pace.KIND).values_list("subject", "status")) == {
        ("SAVE", "resolved"), ("ENDED", "resolved"),
    }  # fmt: skip


def test_what_is_used_up_and_what_only_runs_ahead_say_so(db):
    gone, ahead = promotion("GONE", most_uses=10), promotion("AHEAD", budget=D(1000))
    take(gone, 10, "5", at=NOON)
    take(ahead, 1, "600", at=NOON)
    assert pace.watch(at=NOON + 30 * HOUR) == 2
    assert cases() == [
        ("GONE", "open", "All of 10 is taken before its end at 2026-11-06 16:00."),
        ("AHEAD", "open", "¥600.00 of ¥1,000.00 are taken; at an even pace it would be ¥300.00 by now."),
    ]


def test_an_even_pace_one_without_an_end_and_one_without_a_limit_open_nothing(db):
    even, endless, free = promotion(budget=D(1000)), promotion("ENDLESS", ends_at=None, most_uses=9), promotion("FREE")
    take(even, 10, "10", at=NOON + HOUR)
    take(endless, 9, "5", at=NOON + HOUR)
    take(free, 50, "5", at=NOON + HOUR)
    assert (pace.watch(at=NOON + 10 * HOUR), Case.objects.count()) == (0, 0)


def test_usage_tells_reserved_from_used_and_takes_the_limit_that_ends_first(db):
    version = promotion(budget=D(1000), most_uses=20)
    at = NOON + 10 * HOUR
    take(version, 6, "10", at=at - HOUR, paid=True)
    take(version, 4, "10", at=at - HOUR)
    found = usage.of({version.promotion_id: rule_of(version)}, at=at)[version.promotion_id]
    assert (found.is_money, found.scarce.taken, found.reserved, found.scarce.left) == (False, D(10), D(4), D(10))
    assert found.pace.used_up_at == at + 10 * HOUR


def test_the_number_of_queries_does_not_depend_on_how_many_promotions_there_are(db):
    counts = []
    for number in range(1, 7):
        take(promotion(f"P{number}", budget=D(1000)), 2, "10", at=NOON + HOUR)
        if number in (1, 6):
            with CaptureQueriesContext(connection) as queries:
                assert pace.watch(at=NOON + 2 * HOUR) == 0
            counts.append(len(queries))
    assert counts == [7, 7]
