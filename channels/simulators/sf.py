"""SF Express on loopback: parcels are registered, their routes are asked for and pushed.

A push that is not answered with ``return_code`` 0000 waits and is posted again with the next ``push_to``. Not verified:
the words of refusals.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from channels.simulators.server import Request
from channels.simulators.signed import Refused, SignedPlatform, write_time

SKEW = timedelta(minutes=10)
NEEDED = ("partnerID", "requestID", "serviceCode", "timestamp", "msgData", "msgDigest")
UNTOUCHED = "*-._"  # what Java's form encoding leaves as it is, beside letters and digits


class Platform(SignedPlatform):
    """The parcels of one customer and their routes."""

    path: ClassVar[str] = "/std/service"
    usual: ClassVar[Mapping[str, str]] = {"partner_id": "SFPARTNER", "checkword": "sfcheckword", "push_secret": "ours"}

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"carriers": {"SF": "sf"}}
        self.followed: dict[str, dict[str, Any]] = {}
        self.routes: dict[str, list[dict[str, Any]]] = {}  # oldest first
        self._waiting: list[dict[str, Any]] = []
        self._requests: set[str] = set()
        self._ids = count(1)

    # -- what a test or the demo does ------------------------------------------------------------

    def scan(self, number: str, op_code: str, text: str, *, at: datetime, place: str = "") -> None:
        """Let a route happen to a parcel; whoever registered it will be told."""
        row = {"acceptTime": write_time(at), "acceptAddress": place, "remark": text, "opCode": op_code}
        with self.lock:
            self.routes.setdefault(number, []).append(row)
            if number in self.followed:
                head = {"id": f"{next(self._ids):015}", "mailno": number, "orderid": self.followed[number]["orderId"]}
                self._waiting.append({**head, **row, "reasonCode": "", "reasonName": ""})

    def push_to(self, url: str) -> list[int]:
        """Post the routes that wait, all at once, and return the HTTP statuses (0: no answer)."""
        with self.lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        times = 2 if self.faults.strikes("duplicate") else 1
        answers = [self._post(url, waiting) for _ in range(times)]
        if not answers[-1][1]:
            self._waiting = waiting + self._waiting
        return [status for status, _ in answers]

    def state(self) -> dict[str, Any]:
        """Return who is followed and how many routes each parcel has."""
        with self.lock:
            routes = {number: len(rows) for number, rows in self.routes.items()}
            return {"followed": list(self.followed), "routes": routes, "calls": dict(self.calls)}

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer the one address: the gate's answer around the service's."""
        if request.method != "POST" or request.path != self.path:
            return None
        form = request.parameters()
        self._check(form)
        self.calls[form["serviceCode"]] += 1
        asked = json.loads(form["msgData"])
        service = {"EXP_RECE_REGISTER_ROUTE": self._register, "EXP_RECE_SEARCH_ROUTES": self._search}
        if form["serviceCode"] not in service:
            raise _refused("A1004", "无对应服务权限")
        return {**_gate("A1000", ""), "apiResultData": json.dumps(service[form["serviceCode"]](asked))}

    def _check(self, form: Mapping[str, str]) -> None:
        missing = [name for name in NEEDED if not form.get(name)]
        if missing:
            raise _refused("A1001", f"必传参数不可为空: {missing[0]}")
        text = form["msgData"] + form["timestamp"] + self.credentials["checkword"]
        encoded = quote(text, safe=UNTOUCHED + " ").replace("~", "%7E").replace(" ", "+")
        expected = base64.b64encode(hashlib.md5(encoded.encode()).digest()).decode()
        if form["partnerID"] != self.credentials["partner_id"] or form["msgDigest"] != expected:
            raise _refused("A1006", "数字签名无效")
        if abs(int(form["timestamp"]) - int(self.clock().timestamp() * 1000)) > SKEW.total_seconds() * 1000:
            raise _refused("A1002", "请求时效已过期")
        if form["requestID"] in self._requests:
            raise _refused("A1007", "请求重复")
        if self.is_too_fast():
            raise _refused("A1005", "流量管控")
        self._requests.add(form["requestID"])

    def _register(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        number = asked.get("trackingNumber")
        if not isinstance(number, str) or not number.startswith("SF") or asked.get("trackingType") != "1":
            return {"success": False, "errorCode": "S0001", "errorMsg": "运单号不正确", "msgData": None}
        if number in self.followed:
            return {"success": False, "errorCode": "8016", "errorMsg": "重复注册", "msgData": None}
        self.followed[number] = dict(asked)
        return {"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": {"trackingNumber": number}}

    def _search(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        numbers = asked.get("trackingNumber")
        if not isinstance(numbers, list) or not 0 < len(numbers) <= 10:
            return {"success": False, "errorCode": "S0002", "errorMsg": "trackingNumber", "msgData": None}
        rows = [{"mailNo": number, "routes": self.routes.get(number, [])} for number in numbers]
        return {"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": {"routeResps": rows}}

    def _post(self, url: str, routes: list[dict[str, Any]]) -> tuple[int, bool]:
        body, secret = {"Body": {"WaybillRoute": routes}}, {"secret": self.credentials["push_secret"]}
        try:
            answer = httpx.post(url, params=secret, json=body, timeout=5.0)
        except httpx.HTTPError:
            return 0, False
        return answer.status_code, b'"return_code": "0000"' in answer.content


def _gate(code: str, words: str) -> dict[str, Any]:
    return {"apiErrorMsg": words, "apiResponseID": "00016A2B", "apiResultCode": code, "apiResultData": None}


def _refused(code: str, words: str) -> Refused:
    return Refused(_gate(code, words))
