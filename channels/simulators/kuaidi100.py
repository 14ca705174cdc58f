"""Kuaidi100 on loopback: parcels are subscribed to, asked for and pushed, with the platform's own digests.

A push that is not answered with ``"result": true`` waits and is posted again with the next ``push_to``. Not verified:
the codes of refusals (``REFUSALS``).
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx

from channels.simulators.server import Request
from channels.simulators.signed import Refused, SignedPlatform, write_time

REFUSALS = {
    "parameter": ("700", "订阅方的订阅数据存在错误"),
    "key": ("600", "您不是合法的订阅者（即授权Key出错）"),
    "again": ("501", "重复订阅"),
    "nothing": ("500", "查询无结果，请隔段时间再查"),
    "digest": ("503", "验证签名失败"),
}
SIGNED = "3"


class Platform(SignedPlatform):
    """The subscriptions of one customer, and the scans of all parcels."""

    usual: ClassVar[Mapping[str, str]] = {"key": "kdkey", "customer": "kdcust", "salt": "mysalt"}

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {
            "carriers": {"SF": "shunfeng", "YTO": "yuantong", "ZTO": "zhongtong"},
            "callback_url": "http://127.0.0.1/in/KD/",
        }
        self.followed: dict[tuple[str, str], dict[str, Any]] = {}  # carrier and number → what was asked for
        self.scans: dict[tuple[str, str], list[dict[str, Any]]] = {}  # newest first
        self.last: dict[tuple[str, str], str] = {}  # the parcel's state
        self._waiting: list[tuple[str, str]] = []

    # -- what a test or the demo does ------------------------------------------------------------

    def scan(self, company: str, number: str, state: str, text: str, *, at: datetime, place: str = "") -> None:
        """Scan a parcel: its state is ``state`` from now on, and whoever follows it will be told."""
        row = {"time": write_time(at), "ftime": write_time(at), "context": text, "areaName": place, "statusCode": state}
        with self.lock:
            self.scans.setdefault((company, number), []).insert(0, row)
            self.last[company, number] = state
            if (company, number) in self.followed and (company, number) not in self._waiting:
                self._waiting.append((company, number))

    def push_to(self, url: str) -> list[int]:
        """Post what waits and return the HTTP statuses (0: no answer); the fault ``duplicate`` posts twice."""
        with self.lock:
            waiting, self._waiting = self._waiting, []
        statuses = []
        for parcel in waiting:
            times = 2 if self.faults.strikes("duplicate") else 1
            answers = [self._post(url, self.pushed(*parcel)) for _ in range(times)]
            statuses += [status for status, _ in answers]
            if not answers[-1][1]:
                self._waiting.append(parcel)
        return statuses

    def pushed(self, company: str, number: str) -> bytes:
        """Return the form that tells where a parcel is."""
        status = "shutdown" if self.last[company, number] == SIGNED else "polling"
        told = {"status": status, "billstatus": "", "message": "", "lastResult": self._result(company, number)}
        param = json.dumps(told, ensure_ascii=False)
        return urlencode({"sign": self._md5(param + self.followed[company, number]["salt"]), "param": param}).encode()

    def state(self) -> dict[str, Any]:
        """Return who is followed and the parcels' states."""
        with self.lock:
            last = {"/".join(parcel): state for parcel, state in self.last.items()}
            return {"followed": ["/".join(parcel) for parcel in self.followed], "last": last, "calls": dict(self.calls)}

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer ``/poll`` and ``/poll/query.do``."""
        form = request.parameters()
        if request.method != "POST" or request.path not in ("/poll", "/poll/query.do"):
            return None
        self.calls[request.path] += 1
        return self._subscribe(form) if request.path == "/poll" else self._query(form)

    def _subscribe(self, form: Mapping[str, str]) -> dict[str, Any]:
        param = self._read(form.get("param", ""))
        parameters = param.get("parameters")
        if form.get("schema") != "json" or not isinstance(parameters, dict) or not parameters.get("callbackurl"):
            raise self._refused("parameter")
        if param.get("key") != self.credentials["key"]:
            raise self._refused("key")
        company, number = param.get("company"), param.get("number")
        if not company or not number or company not in self.options["carriers"].values():
            raise self._refused("parameter")
        if (company, number) in self.followed:
            raise self._refused("again")
        self.followed[company, number] = parameters
        if (company, number) in self.scans:
            self._waiting.append((company, number))
        return {"result": True, "returnCode": "200", "message": "提交成功"}

    def _query(self, form: Mapping[str, str]) -> dict[str, Any]:
        text = form.get("param", "")
        expected = self._md5(text + self.credentials["key"] + self.credentials["customer"])
        if form.get("customer") != self.credentials["customer"] or form.get("sign") != expected:
            raise self._refused("digest")
        param = self._read(text)
        if (param.get("com"), param.get("num")) not in self.scans:
            raise self._refused("nothing")
        return self._result(str(param["com"]), str(param["num"]))

    def _result(self, company: str, number: str) -> dict[str, Any]:
        state = self.last[company, number]
        head = {"message": "ok", "state": state, "status": "200", "condition": "00", "ischeck": str(int(state == "3"))}
        return {**head, "com": company, "nu": number, "data": [dict(row) for row in self.scans[company, number]]}

    def _read(self, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise self._refused("parameter") from error
        if not isinstance(value, dict):
            raise self._refused("parameter")
        return value

    def _refused(self, why: str) -> Refused:
        code, words = REFUSALS[why]
        return Refused({"result": False, "returnCode": code, "message": words})

    def _md5(self, text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest().upper()

    def _post(self, url: str, body: bytes) -> tuple[int, bool]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=5.0)
        except httpx.HTTPError:
            return 0, False
        return answer.status_code, answer.status_code == 200 and b'"result": true' in answer.content
