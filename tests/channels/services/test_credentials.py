"""Credentials at rest: sealed in the table, opened for a call only, moved to a new key, never shown."""

import base64
import json
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from channels.models import Channel
from channels.services import connections, credentials
from tests.channels.services.conftest import make_channel

SECRET = "hush-hush-密"
OLD, NEW = (base64.b64encode(bytes([fill]) * 32).decode() for fill in (1, 2))


def stored(channel: Channel) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM channels_channel WHERE id = %s", [channel.pk])
        return cursor.fetchone()[0]


def dump(*tables: str) -> str:
    """Return every row of tables as the database would print it."""
    with connection.cursor() as cursor:
        parts = []
        for table in tables:
            cursor.execute(f"SELECT row_to_json(kept)::text FROM {table} AS kept")
            parts.extend(text for (text,) in cursor.fetchall())
    return "\n".join(parts)


def rotate() -> str:
    told = StringIO()
    call_command("rotate_secrets", stdout=told)
    return told.getvalue()


def test_a_new_channel_is_sealed_before_its_first_row_is_written(db: None) -> None:
    channel = Channel.objects.create(
        code="S", name="S", platform="own", adapter="house", credentials={"secret": SECRET}
    )
    assert channel.pk is not None
    assert stored(channel).startswith("v1:derived:")
    assert stored(channel) == channel.credentials
    assert connections.of(Channel.objects.get(pk=channel.pk)).credentials == {"secret": SECRET}


def test_a_new_channel_without_credentials_needs_no_key(db: None) -> None:
    channel = Channel.objects.create(code="S", name="S", platform="own", adapter="house", credentials={})
    assert (stored(channel), connections.of(channel).credentials) == ("", {})


def test_many_rows_at_once_are_sealed_when_they_have_keys_and_refused_otherwise(db: None) -> None:
    named = {"name": "x", "platform": "own", "adapter": "house", "credentials": {"secret": SECRET}}
    Channel.objects.bulk_create([Channel(pk=901, code="A", **named), Channel(pk=902, code="B", **named)])
    assert [credentials.opened(channel) for channel in Channel.objects.filter(pk__gt=900)] == [{"secret": SECRET}] * 2
    with pytest.raises(TypeError, match="only for a row that has its key"), transaction.atomic():
        Channel.objects.bulk_create([Channel(code="C", **named)])
    assert Channel.objects.count() == 2


def test_no_statement_writes_a_plain_secret(channel: Channel) -> None:
    before = stored(channel)
    with pytest.raises(TypeError, match="credentials is not sealed"), transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(credentials={"secret": SECRET})
    with pytest.raises(IntegrityError, match="credentials_are_sealed"), transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(credentials=json.dumps({"secret": SECRET}))
    assert stored(channel) == before


def test_no_credentials_are_an_empty_text(channel: Channel) -> None:
    credentials.keep(channel, {})
    assert (stored(channel), credentials.opened(Channel.objects.get(pk=channel.pk))) == ("", {})


def test_saving_something_else_leaves_the_sealed_text_as_it_is(channel: Channel) -> None:
    before = stored(channel)
    again = Channel.objects.get(pk=channel.pk)
    again.name = "Renamed"
    again.save()
    assert stored(channel) == before


def test_a_secret_that_was_copied_to_another_row_does_not_open(channel: Channel, caplog: Any) -> None:
    thief = make_channel("THIEF")
    Channel.objects.filter(pk=thief.pk).update(credentials=stored(channel))
    with pytest.raises(credentials.Unreadable) as refusal:
        connections.of(Channel.objects.get(pk=thief.pk))
    assert str(refusal.value) == "The credentials of channel THIEF cannot be opened with this installation's keys."
    assert refusal.value.reason.values == {"code": "THIEF"}
    assert "the credentials of channel THIEF cannot be opened" in caplog.text
    assert connections.without_secrets(thief).credentials == {}


def test_the_secret_is_nowhere_in_the_tables(db: None) -> None:
    channel = Channel.objects.create(
        code="S", name="S", platform="own", adapter="house", credentials={"secret": SECRET}
    )
    channel.name = "Renamed"
    channel.save()
    credentials.keep(channel, {"secret": SECRET, "token": "second-secret"})
    printed = dump("channels_channel", "channels_historicalchannel", "django_admin_log")
    assert "Renamed" in printed
    for secret in (SECRET, "hush", "second-secret"):
        assert secret not in printed
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in printed
    assert "credentials" not in dump("channels_historicalchannel")


def test_rotation_seals_every_channel_under_the_first_key(db: None, settings: Any) -> None:
    settings.HUB_SECRET_KEYS = f"old:{OLD}"
    channels = [make_channel(f"S{place}") for place in range(5)]
    empty = make_channel("EMPTY")
    credentials.keep(empty, {})
    settings.HUB_SECRET_KEYS = f"new:{NEW},old:{OLD}"
    credentials.keep(channels[0], {"secret": SECRET})
    assert [stored(channel)[:7] for channel in channels] == ["v1:new:"] + ["v1:old:"] * 4

    assert rotate() == "4 channels sealed under the first key.\n"
    assert {stored(channel)[:7] for channel in channels} == {"v1:new:"}
    assert rotate() == "0 channels sealed under the first key.\n"
    settings.HUB_SECRET_KEYS = f"new:{NEW}"
    assert [credentials.opened(Channel.objects.get(pk=channel.pk)) for channel in (*channels[:2], empty)] == [
        {"secret": SECRET},
        {"secret": "house-secret"},
        {},
    ]


def test_rotation_goes_in_batches(db: None, settings: Any, monkeypatch: Any, django_assert_num_queries: Any) -> None:
    settings.HUB_SECRET_KEYS = f"old:{OLD}"
    channels = [make_channel(f"S{place}") for place in range(5)]
    settings.HUB_SECRET_KEYS = f"new:{NEW},old:{OLD}"
    monkeypatch.setattr(credentials, "BATCH", 2)
    with django_assert_num_queries(3 * 4 + 3):  # begin, rows, update, end; the last one finds nothing
        assert credentials.rotate() == (5, [])
    assert {stored(channel)[:7] for channel in channels} == {"v1:new:"}


def test_rotation_leaves_what_it_cannot_open_and_says_so(db: None, settings: Any) -> None:
    settings.HUB_SECRET_KEYS = f"lost:{OLD}"
    lost = make_channel("LOST")
    before = stored(lost)
    settings.HUB_SECRET_KEYS = f"new:{NEW}"
    kept = make_channel("KEPT")
    with pytest.raises(CommandError, match="No key opens the credentials of LOST"):
        rotate()
    assert (stored(lost), credentials.opened(kept)) == (before, {"secret": "house-secret"})


def test_an_installation_for_real_needs_keys_of_its_own(channel: Channel, settings: Any) -> None:
    settings.SECRET_KEYS_REQUIRED = True
    with pytest.raises(ImproperlyConfigured, match="HUB_SECRET_KEYS is not set"):
        credentials.opened(channel)
    settings.HUB_SECRET_KEYS = "a:short"
    with pytest.raises(ImproperlyConfigured, match="HUB_SECRET_KEYS cannot be read: key a"):
        credentials.opened(channel)
