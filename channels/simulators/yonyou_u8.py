"""U8's proxy on loopback: tokens, trade ids, documents that are added later than they are answered, lists, verifying.

A document is there only after its outcome was asked for ``polls`` times, as if U8 worked meanwhile. A trade id is good
for one write. Not verified: words of refusals, states of a list.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.signed import Refused, SignedPlatform, written

NEEDED = {
    "saleorder": ("custcode", "deptcode", "businesstype", "typecode", "entry"),
    "consignment": ("custcode", "deptcode", "operation_type", "saletype", "entry"),
    "returnorder": ("custcode", "deptcode", "operation_type", "saletype", "entry"),
}
ENTRY = {
    "saleorder": ("inventorycode", "quantity", "rowno", "bgift"),
    "consignment": ("inventory_code", "quantity", "rowno", "warehouse_code"),
    "returnorder": ("inventory_code", "quantity", "rowno", "warehouse_code"),
}


class Platform(SignedPlatform):
    """One account's documents. ``items`` that are empty take any."""

    usual: ClassVar[Mapping[str, str]] = {
        "from_account": "hub",
        "to_account": "shop",
        "app_key": "u8key",
        "app_secret": "u8secret",
    }

    def __init__(self, *, polls: int = 1, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"department": "01", "poll_seconds": 0.01}
        self.polls = polls
        self.url = ""
        self.items: set[str] = set()
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}  # kind and number → state and data
        self.next_words: list[str] = []  # with which the next calls are refused
        self.finish_before_next_outcome = False  # what was asked for first is done first
        self._trades: set[str] = set()
        self._jobs: dict[str, dict[str, Any]] = {}
        self._ids = count(1)

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays the proxy; outcomes are asked for at its own address."""
        server = super().serve(port=port)
        self.url = server.url
        return server

    def finish(self) -> None:
        """Let everything that was asked for be done now."""
        with self.lock:
            for job in self._jobs.values():
                self._do(job)

    def state(self) -> dict[str, Any]:
        """Return the documents' states."""
        with self.lock:
            states = {" ".join(key): row["state"] for key, row in self.documents.items()}
            return {"documents": states, "calls": dict(self.calls)}

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; refusals come with HTTP 200."""
        if request.path.startswith("/control/"):
            return super().answer(request)
        with self.lock:
            self.calls[request.path] += 1
            try:
                return written({"errcode": "0", "errmsg": "", **self._call(request, dict(parse_qsl(request.query)))})
            except Refused as refused:
                return written(refused.body)

    def _call(self, request: Request, query: Mapping[str, str]) -> dict[str, Any]:
        if request.path.startswith("/result/"):
            return self._outcome(request.path.removeprefix("/result/"))
        self._compare(query, "from_account", "app_key")
        if request.path == "/system/token":
            self._compare(query, "app_secret")
            return {"token": {"id": self.fresh_tokens()["access_token"], "expiresIn": 7200}}
        if not self.token_is_known(query.get("token", "")) or not self.token_is_alive():
            raise _no("10003", "token已失效")
        if self.next_words:
            raise _no("30000", self.next_words.pop(0))
        if request.path == "/system/tradeid":
            trade = f"t{next(self._ids)}"
            self._trades.add(trade)
            return {"trade": {"id": trade}}
        self._compare(query, "to_account")
        return self._business(request, query)

    def _compare(self, query: Mapping[str, str], *names: str) -> None:
        for name in names:
            if query.get(name) != self.credentials[name]:
                raise _no("10001", f"{name}不正确")

    def _business(self, request: Request, query: Mapping[str, str]) -> dict[str, Any]:
        _, _, name, method = (*request.path.split("/"), "", "")[:4]
        if name.removesuffix("list") in NEEDED and method == "batch_get":
            return self._list(name.removesuffix("list"), query)
        if name not in NEEDED or request.method != "POST":
            raise _no("10404", "api不存在")
        told = json.loads(request.body, parse_float=Decimal)[name]
        if method == "verify":
            return self._verify(name, told["voucher_code"])
        if query.get("tradeid") not in self._trades:
            raise _no("10005", "tradeid不正确")
        self._trades.remove(query["tradeid"])
        self._jobs[query["tradeid"]] = {"name": name, "data": told, "polls": 0, "done": False}
        return {"url": f"{self.url}/result/{query['tradeid']}", "tradeid": query["tradeid"]}

    def _outcome(self, trade: str) -> dict[str, Any]:
        job = self._jobs[trade]
        job["polls"] += 1
        if self.finish_before_next_outcome:
            self.finish()
        if job["polls"] < self.polls:
            raise _no("20002", "没有找到数据")
        self._do(job)
        if job["error"]:
            raise _no("30001", job["error"])
        return {"id": job["data"]["code"]}

    def _do(self, job: dict[str, Any]) -> None:
        if job["done"]:
            return
        job["done"], name, data = True, job["name"], job["data"]
        job["error"] = self._why_not(name, data)
        if not job["error"]:
            self.documents[name, data["code"]] = {"state": "Opening", "data": data}

    def _why_not(self, name: str, data: Mapping[str, Any]) -> str:
        missing = [field for field in NEEDED[name] if not data.get(field)]
        rows = data.get("entry") or []
        missing += [field for row in rows for field in ENTRY[name] if row.get(field) is None]
        if missing:
            return f"{missing[0]}不能为空"
        if (name, data["code"]) in self.documents:
            return f"单据号{data['code']}已存在"
        items = [row.get("inventorycode") or row.get("inventory_code") for row in rows]
        unknown = [item for item in items if self.items and item not in self.items]
        if unknown:
            return f"存货{unknown[0]}不存在"
        wrong = [row["rowno"] for row in rows if row["money"] + row["tax"] != row["sum"]]
        return f"第{wrong[0]}行金额不一致" if wrong else ""

    def _list(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        first, last = query.get("code_begin", ""), query.get("code_end", "~")
        rows = [
            {"code": code, "state": row["state"]}
            for (kind, code), row in self.documents.items()
            if kind == name and first <= code <= last
        ]
        if not rows:
            raise _no("20002", "没有找到数据")
        return {f"{name}list": rows[: int(query["rows_per_page"])], "row_count": str(len(rows))}

    def _verify(self, name: str, number: str) -> dict[str, Any]:
        row = self.documents.get((name, number))
        if row is None or row["state"] != "Opening":
            raise _no("30002", "单据不能审核")
        row["state"] = "Approved"
        return {}


def _no(code: str, words: str) -> Refused:
    return Refused({"errcode": code, "errmsg": words})
