"""The gate of the simulated Youzan cloud: tokens, names and types of what is asked, and how a push is signed.

Not verified against the live platform: the numbers of ``BAD_ARGUMENT``, ``NO_SUCH_CALL`` and ``TOO_MANY``, and that
the gateway's faults come as ``gw_err_resp``.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from channels.simulators.signed import Refused, read_time

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "youzan_fields.json").read_text("utf-8"))
NO_TOKEN, DEAD_TOKEN = 4001, 4003
NO_SUCH_CALL = 4201
TOO_MANY = 4018
BAD_ARGUMENT = 5001


def gateway(code: int, words: str) -> Refused:
    """Make a fault of the gateway."""
    return Refused({"gw_err_resp": {"err_code": code, "err_msg": words, "trace_id": "yz-1"}})


def refused(code: int, words: str) -> Refused:
    """Make the answer of a call that says no."""
    return Refused({"request_id": "r1", "success": False, "code": code, "message": words, "data": None})


def read(api: str, body: bytes) -> dict[str, Any]:
    """Return the arguments of a call that keeps the contract; raises ``Refused`` naming the one that does not."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise refused(BAD_ARGUMENT, "the body is not JSON") from error
    if not isinstance(given, dict):
        raise refused(BAD_ARGUMENT, "the body is not an object")
    for declared, kind in CONTRACT[api].items():
        name = declared.rstrip("*")
        value = given.get(name)
        if value in (None, ""):
            if declared.endswith("*"):
                raise refused(BAD_ARGUMENT, f"{name} is missing")
        elif not _fits(value, kind):
            raise refused(BAD_ARGUMENT, f"{name} is not a {kind}")
    return given


def _fits(value: Any, kind: str) -> bool:
    if kind != "time":
        return type(value) is {"string": str, "number": int, "boolean": bool}[kind]
    try:
        read_time(value)
    except (ValueError, TypeError):
        return False
    return True


def push(message: Mapping[str, Any], *, kind: str, credentials: Mapping[str, str], version: int) -> dict[str, Any]:
    """Return a push as the platform posts it: the message url-encoded and signed so."""
    text = quote(json.dumps(message, ensure_ascii=False, separators=(",", ":")), safe="")
    client_id = credentials["client_id"]
    signed = hashlib.md5((client_id + text + credentials["client_secret"]).encode()).hexdigest()
    return {
        "client_id": client_id,
        "id": message["tid"],
        "kdt_id": int(credentials["grant_id"]),
        "kdt_name": "demo",
        "mode": 1,
        "msg": text,
        "sendCount": 0,
        "sign": signed,
        "status": message.get("status", ""),
        "test": False,
        "type": kind,
        "version": version,
    }
