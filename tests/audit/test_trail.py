"""Who and why stand beside every change of what people edit."""

import pytest

from audit.rules.actors import Actor
from audit.services import trail
from tests import small_company as company

pytestmark = pytest.mark.django_db


def test_the_reason_is_kept_with_the_change():
    node = company.node("SH")
    node.name = "Shanghai"
    trail.because(node, actor=Actor("person", "wang"), reason="renamed").save()
    newest, oldest = node.history.order_by("-history_id")
    assert (newest.name, newest.history_change_reason) == ("Shanghai", "person:wang: renamed")
    assert (oldest.name, oldest.history_change_reason) == ("SH", None)


def test_a_long_reason_is_cut_to_the_column():
    node = company.node("SH")
    trail.because(node, actor=Actor("job", "j"), reason="r" * 500).save()
    assert node.history.first().history_change_reason == ("job:j: " + "r" * 500)[:100]
