"""What a load balancer asks."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError


def test_a_process_that_answers_lives_without_asking_the_database(client):
    response = client.get("/livez")  # no database is allowed in this test
    assert (response.status_code, response.json()) == (200, {"status": "alive"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_with_everything(client):
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (
        200, {"status": "ready", "database": "ok", "migrations": "ok", "broker": "ok"},
    )  # fmt: skip


@pytest.mark.django_db
def test_without_the_broker_the_hub_still_takes_orders(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (
        200, {"status": "degraded", "database": "ok", "migrations": "ok", "broker": "unreachable"},
    )  # fmt: skip


@pytest.mark.django_db
def test_with_migrations_to_come_it_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="orders").latest("pk").delete()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"], response.json()["migrations"]) == (
        503, "not_ready", "pending",
    )  # fmt: skip


@pytest.mark.django_db
def test_without_the_database_it_is_not_ready(client):
    def refuse(*_args):
        raise OperationalError("the server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not_ready", "database": "unreachable", "migrations": "unknown", "broker": "ok",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_only_reading_is_allowed(client, path):
    assert client.post(path).status_code == 405
