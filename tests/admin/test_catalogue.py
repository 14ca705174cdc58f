"""The Chinese catalogue is complete, and every sentence keeps its places for values."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from audit.models.sentences import render
from audit.rules.sentences import say

PLACE = re.compile(r"%\(\w+\)s|\{\w*\}")


@pytest.fixture(scope="module")
def catalogue():
    with Path(settings.LOCALE_PATHS[0], "zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        return [entry for entry in read_po(file, locale="zh_Hans") if entry.id]


def pairs(catalogue) -> list[tuple[str, str]]:
    """Return each English text with its Chinese one; of a plural the form for many."""
    return [
        (entry.id[-1], entry.string[0]) if isinstance(entry.id, tuple) else (entry.id, entry.string)
        for entry in catalogue
    ]


def test_nothing_is_missing_or_uncertain(catalogue):
    assert [english for english, chinese in pairs(catalogue) if not chinese] == []
    assert [entry.id for entry in catalogue if entry.fuzzy] == []
    assert len(catalogue) > 600


def test_every_place_for_a_value_is_kept(catalogue):
    lost = [english for english, chinese in pairs(catalogue)
            if sorted(PLACE.findall(english)) != sorted(PLACE.findall(chinese))]  # fmt: skip
    assert lost == []


def test_a_per_cent_sign_beside_values_is_doubled(catalogue):
    """Values are filled in with ``%``: a single sign in the Chinese text would break the page that shows it."""
    filled = [(english, chinese) for english, chinese in pairs(catalogue) if "%(" in english]
    assert [chinese for _english, chinese in filled if "%" in PLACE.sub("", chinese).replace("%%", "")] == []
    assert len(filled) > 300


def test_a_stored_sentence_is_read_in_the_readers_language():
    stored = say("%(units)s units are not in stock at any node that serves this destination.", units=4).stored()
    with translation.override("zh-hans"):
        assert render(stored) == "有 4 件在服务该目的地的所有节点都没有库存。"
    with translation.override("en"):
        assert render(stored) == "4 units are not in stock at any node that serves this destination."
