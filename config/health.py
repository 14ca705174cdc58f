"""Whether this process lives, and whether it may be given requests."""

from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

BROKER_SECONDS: Final = 1.0


@never_cache
@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """Say that the process answers; nothing else is looked at, so a sick database restarts no web process."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Say what this process needs and what it has: 503 without the database or with migrations to come.

    Without the broker the hub is slower (the sweeps find the rows) but takes orders: 200 and ``degraded``.
    """
    found = {name: check() for name, check in CHECKS.items()}
    is_ready = found["database"] == "ok" and found["migrations"] == "ok"
    is_whole = is_ready and found["broker"] == "ok"
    status = "ready" if is_whole else ("degraded" if is_ready else "not_ready")
    return JsonResponse({"status": status, **found}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return "pending" if waiting else "ok"


def _broker() -> str:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS, retry=None
    )
    try:
        client.ping()
    except redis.RedisError:
        return "unreachable"
    finally:
        client.close()
    return "ok"


CHECKS: Final[dict[str, Callable[[], str]]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
}
