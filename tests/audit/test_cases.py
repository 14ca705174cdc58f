"""The one queue of what people must decide."""

from datetime import timedelta
from functools import partial

import pytest

from audit.models import Case
from audit.rules.sentences import say
from audit.services import cases
from audit.services.cases import Trouble
from tests.races import race
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def trouble(subject="JD-1", kind="address"):
    return Trouble(kind, subject, say("Nobody knows %(where)s.", where="Atlantis"), say("Ask the buyer."), "/x/")


@pytest.mark.django_db
def test_a_case_says_what_why_and_what_to_do():
    assert cases.open_cases([trouble()], at=NOON) == 1
    case = Case.objects.get()
    assert (case.kind, case.subject, case.subject_url, case.status, case.opened_at) == (
        "address", "JD-1", "/x/", "open", NOON,
    )  # fmt: skip
    assert case.why == {"text": "Nobody knows %(where)s.", "values": {"where": "Atlantis"}}
    assert case.suggestion == {"text": "Ask the buyer.", "values": {}}


@pytest.mark.django_db
def test_one_trouble_is_one_case_while_it_is_open():
    assert cases.open_cases([trouble(), trouble()], at=NOON) == 1
    assert cases.open_cases([trouble(), trouble("JD-2"), trouble(kind="no_node")], at=NOON) == 2
    assert cases.resolve(["JD-1"], kinds=["address"], actor=TESTER, resolution="called", at=LATER) == 1
    assert cases.open_cases([trouble()], at=LATER) == 1
    assert Case.objects.filter(kind="address", subject="JD-1").count() == 2


@pytest.mark.django_db
def test_resolving_says_who_and_closes_only_what_was_meant():
    cases.open_cases([trouble(), trouble(kind="no_node"), trouble("JD-2")], at=NOON)
    assert cases.resolve(["JD-1"], kinds=["address"], actor=TESTER, resolution="r" * 400, at=LATER) == 1
    closed = Case.objects.get(status="resolved")
    assert (closed.kind, closed.resolved_by, closed.resolved_at, closed.resolution) == (
        "address", "person:tester", LATER, "r" * 300,
    )  # fmt: skip
    assert cases.resolve(["JD-1", "JD-2"], actor=TESTER, resolution="", at=LATER) == 2
    assert cases.resolve(["JD-1"], actor=TESTER, resolution="", at=LATER) == 0


@pytest.mark.django_db
def test_no_troubles_open_nothing():
    assert cases.open_cases([], at=NOON) == 0
    assert Case.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_trouble_from_everywhere_is_one_case():
    results = race([partial(cases.open_cases, [trouble()], at=NOON)] * 8)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert Case.objects.count() == 1
