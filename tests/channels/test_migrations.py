"""Migrations of channels that carry data: what is stored survives the way back and forward again."""

import json
from collections.abc import Iterator, Sequence

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from channels.models import Channel
from channels.rules import vault
from channels.services import connections

SECRET = "hush-hush-密"
BEFORE = [("channels", "0005_channel_setup")]


def migrate(targets: Sequence[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def newest() -> list[tuple[str, str]]:
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def stored() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, credentials::text FROM channels_channel")  # one step back it is JSON
        return dict(cursor.fetchall())


@pytest.fixture
def forward_again(transactional_db: None) -> Iterator[None]:
    """Leave the tables as every other test expects them, whatever happens."""
    yield
    migrate(newest())


def add(code: str, credentials: dict[str, str]) -> int:
    channel = Channel.objects.create(code=code, name=code, platform="own", adapter="house", credentials=credentials)
    return channel.pk


def test_sealed_credentials_are_plain_one_step_back_and_sealed_again_after_it(forward_again: None) -> None:
    add("A", {"secret": SECRET, "token": "t"})
    add("B", {})
    sealed = stored()
    assert sealed["A"].startswith("v1:derived:")

    migrate(BEFORE)
    assert {code: json.loads(told) for code, told in stored().items()} == {
        "A": {"secret": SECRET, "token": "t"}, "B": {},
    }  # fmt: skip

    migrate(newest())
    again = stored()
    assert again["A"].startswith("v1:derived:")
    assert (again["B"], again["A"] == sealed["A"], SECRET in again["A"]) == ("", False, False)
    opened = {row.code: dict(connections.of(row).credentials) for row in Channel.objects.all()}
    assert opened == {"A": {"secret": SECRET, "token": "t"}, "B": {}}


def test_the_way_back_refuses_to_lose_credentials_that_do_not_open(forward_again: None) -> None:
    key = add("A", {"secret": SECRET})
    other = vault.seal(b"{}", vault.derived_ring("another installation"), owner=f"channel:{key}")
    Channel.objects.filter(pk=key).update(credentials=other)
    with pytest.raises(vault.CannotOpen):
        migrate(BEFORE)
    assert stored() == {"A": other}


def test_after_it_only_sealed_texts_fit(forward_again: None) -> None:
    add("A", {"secret": SECRET})
    before = stored()
    with pytest.raises(IntegrityError, match="credentials_are_sealed"), transaction.atomic():
        Channel.objects.update(credentials='{"secret": "x"}')
    assert stored() == before
