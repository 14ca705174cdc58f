"""Sentences are stored once, as text and values, and read in the reader's language."""

import pytest
from django.utils import translation

from audit.models import Case
from audit.models.sentences import render
from audit.rules.actors import Actor
from audit.rules.sentences import Name, Sentence, joined, say
from tests.small_company import NOON


def test_a_sentence_keeps_its_values_apart():
    sentence = say("%(units)s units of %(sku)s", units=3, sku="CUP")
    assert str(sentence) == "3 units of CUP"
    assert sentence.stored() == {"text": "%(units)s units of %(sku)s", "values": {"units": 3, "sku": "CUP"}}


def test_a_sentence_without_values_may_hold_a_percent_sign():
    assert str(say("100 % cotton")) == "100 % cotton"
    assert render(say("100 % cotton").stored()) == "100 % cotton"


@pytest.mark.parametrize("nothing", [None, {}, {"text": "", "values": {}}])
def test_no_sentence_reads_as_nothing(nothing):
    assert render(nothing) == ""


def test_a_value_is_never_read_as_a_format():
    stored = say("%(reason)s", reason="100 %(discount)s %s").stored()
    assert render(stored) == "100 %(discount)s %s"


def test_a_stored_sentence_is_translated_for_its_reader():
    """Uses a text that Django itself translates, so that it holds without our own catalogue."""
    with translation.override("zh-hans"):
        assert render({"text": "Yes", "values": {}}) == translation.gettext("Yes") != "Yes"
    with translation.override("en"):
        assert render({"text": "Yes", "values": {}}) == "Yes"


@pytest.mark.django_db
@pytest.mark.parametrize("value", [say("Why %(n)s", n=1), say("Why %(n)s", n=1).stored()])
def test_the_column_takes_a_sentence_or_its_stored_form(value):
    case = Case.objects.create(kind="k", subject="s", why=value, opened_at=NOON)
    case.refresh_from_db()
    assert case.why == {"text": "Why %(n)s", "values": {"n": 1}}
    assert case.suggestion == {}


def test_an_actor_is_words_that_outlive_the_row():
    assert Actor("person", "wang").label == "person:wang"
    assert Sentence("a") == say("a")


def test_a_sentence_may_hold_sentences_names_and_lists():
    which = joined([Name("上海", "Shanghai"), "JS", say("Yes")], say("%(first)s or %(second)s"))
    sentence = say("To %(which)s", which=which)
    assert str(sentence) == "To Shanghai or JS or Yes"
    with translation.override("en"):
        assert render(sentence.stored()) == "To Shanghai or JS or Yes"
    with translation.override("zh-hans"):
        assert render(sentence.stored()).endswith(f"JS或{translation.gettext('Yes')}")
        assert "上海" in render(sentence.stored())


def test_a_list_of_one_is_that_one():
    assert joined(["CUP"], say("%(first)s or %(second)s")) == "CUP"


def test_values_of_parts_are_never_read_as_a_format():
    stored = say("%(a)s", a=joined(["100 %s", "%(first)s"], say("%(first)s, %(second)s"))).stored()
    assert render(stored) == "100 %s, %(first)s"


def test_a_name_in_one_language_serves_for_both():
    with translation.override("en"):
        assert render(say("%(a)s", a=Name("杯")).stored()) == "杯"
