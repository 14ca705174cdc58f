"""YonBIP on loopback: the tenant's gate, tokens of both paths, and vouchers saved, asked for, submitted and audited.

``resubmitCheckKey`` is kept as the platform does: within an hour the first answer again, later ``repeated_code`` with
the id only. Submitting or auditing twice is refused, because these calls are not idempotent.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qs

from channels.simulators.server import LoopbackServer, Request, Response
from channels.simulators.signed import Refused, SignedPlatform, written

TOKENS = {f"/iuap-api-auth/open-auth/selfAppAuth/{path}getAccessToken" for path in ("base/v1/", "")}
GATE = "/open-auth/dataCenter/getGatewayAddress"
KEPT = timedelta(hours=1)
VOUCHERS = {
    "voucherorder": ("orderDetails", "orderPrices", "batchsubmit", "batchaudit"),
    "voucherdelivery": ("deliveryDetails", "deliveryPrices", "batchsubmit", "batchaudit"),
    "vouchersalereturn": ("saleReturnDetails", "saleReturnPrices", "submit", "audit"),
}
HEAD = ("_status", "salesOrgId", "transactionTypeId", "vouchdate", "agentId", "settlementOrgId", "invoiceAgentId")
LINE = (
    "_status",
    "productId",
    "stockOrgId",
    "settlementOrgId",
    "masterUnitId",
    "qty",
    "taxId",
    "oriTaxUnitPrice",
    "oriSum",
)


class Platform(SignedPlatform):
    """One tenant's vouchers. ``products`` that are empty take any; ``is_controlled`` leaves audits to a workflow."""

    usual: ClassVar[Mapping[str, str]] = {"tenant_id": "ten1", "app_key": "yyAppKey", "app_secret": "yySecret"}

    def __init__(self, *, repeated_code: str | int = "10004", plain_text: bool = False, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"org": "991"}
        self.repeated_code = repeated_code
        self.plain_text = plain_text  # how a bad token is said
        self.url = ""
        self.products: set[str] = set()
        self.is_controlled = False
        self.vouchers: dict[str, dict[str, Any]] = {}  # by id
        self.next_code: list[str] = []  # codes with which the next business calls are refused
        self._saved: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] = {}
        self._ids = count(1900000000000001)

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays the tenant; it names itself as the tenant's gate."""
        server = super().serve(port=port)
        self.url = server.url
        return server

    def state(self) -> dict[str, Any]:
        """Return the vouchers' states by kind and number."""
        with self.lock:
            rows = self.vouchers.values()
            return {
                "vouchers": {f"{row['kind']} {row['code']}": row["state"] for row in rows},
                "calls": dict(self.calls),
            }

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; faults come with HTTP 200."""
        if request.path.startswith("/control/"):
            return super().answer(request)
        with self.lock:
            query = {name: values[0] for name, values in parse_qs(request.query).items()}
            try:
                if request.path == GATE:
                    return self._gate(query)
                if request.path in TOKENS:
                    return self._given(query)
                return self._business(request, query)
            except Refused as refused:
                return written(refused.body)

    def _gate(self, query: Mapping[str, str]) -> Response:
        if query.get("tenantId") != self.credentials["tenant_id"]:
            raise _refused("500", "租户不存在")
        data = {"gatewayUrl": f"{self.url}/iuap-api-gateway", "tokenUrl": f"{self.url}/iuap-api-auth"}
        return written({"code": "00000", "message": "成功", "data": data})

    def _given(self, query: Mapping[str, str]) -> Response:
        joined = f"appKey{query.get('appKey')}timestamp{query.get('timestamp')}"
        digest = hmac.new(self.credentials["app_secret"].encode(), joined.encode(), hashlib.sha256).digest()
        if query.get("appKey") != self.credentials["app_key"]:
            raise _refused("10018", "应用不存在")
        if query.get("signature") != base64.b64encode(digest).decode():
            raise _refused("10020", "签名错误")
        token = self.fresh_tokens()["access_token"]
        return written({"code": "00000", "message": "成功", "data": {"access_token": token, "expire": 7200}})

    def _business(self, request: Request, query: Mapping[str, str]) -> Response:
        parts = request.path.removeprefix("/iuap-api-gateway/yonbip/sd/").split("/")
        if len(parts) != 2 or parts[0] not in VOUCHERS:
            return written({"code": "310404", "message": "not registered"}, 404)
        token = query.get("access_token", "")
        if not self.token_is_known(token) or not self.token_is_alive():
            if self.plain_text:
                return Response("非法token".encode(), content_type="text/plain;charset=utf-8")
            raise _refused("310036", "非法token")
        if self.is_too_fast():
            raise _refused("310046", "请求过于频繁")
        if self.next_code:
            raise _refused(self.next_code.pop(0), "现在不行")
        kind, method = parts
        self.calls[method] += 1
        _, _, submit, audit = VOUCHERS[kind]
        known: dict[str, Callable[[], Any]] = {
            "list": lambda: {"pageIndex": 1, "recordCount": len(self.vouchers), "recordList": []},
            "singleSave": lambda: self._save(kind, json.loads(request.body, parse_float=Decimal)["data"]),
            "detail": lambda: self._detail(query.get("id", "")),
            submit: lambda: self._move(request.body, before={"0", "4"}, after="1"),
            audit: lambda: self._move(request.body, before={"1"}, after="2"),
        }
        if method not in known:
            return written({"code": "310404", "message": "not registered"}, 404)
        return written({"code": "200", "message": "操作成功", "data": known[method]()})

    def _save(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        key = (kind, data.get("resubmitCheckKey", ""))
        if key in self._saved:
            saved_at, answer = self._saved[key]
            if self.clock() - saved_at > KEPT:
                body = {"code": self.repeated_code, "message": "重复提交", "data": {"id": answer["id"]}}
                raise Refused(body)
            return answer
        self._check(kind, data)
        number = next(self._ids)
        self.vouchers[str(number)] = {"kind": kind, "code": data["code"], "state": "0", "data": data}
        answer = {"id": number, "code": data["code"], "resubmitCheckKey": key[1]}
        if key[1]:
            self._saved[key] = (self.clock(), answer)
        return answer

    def _check(self, kind: str, data: Mapping[str, Any]) -> None:
        lines, prices, _, _ = VOUCHERS[kind]
        missing = [name for name in (*HEAD, lines, f"{prices}!currency") if not data.get(name)]
        rows = data.get(lines) or []
        missing += [name for row in rows for name in LINE if row.get(name) is None]
        if missing or len(data.get("resubmitCheckKey", "")) > 32:
            raise _refused("310008", f"参数错误 {', '.join(missing) or 'resubmitCheckKey'}")
        for row in rows:
            if self.products and row["productId"] not in self.products:
                raise _refused("999", f"物料 {row['productId']} 不存在")
            net, tax = (next(row[name] for name in row if name.endswith(f"!ori{part}")) for part in ("Money", "Tax"))
            if net + tax != row["oriSum"]:
                raise _refused("999", "含税金额不等于无税金额与税额之和")
        if sum(row["oriSum"] for row in rows) != data["payMoney"]:
            raise _refused("999", "payMoney")

    def _detail(self, number: str) -> dict[str, Any]:
        voucher = self.vouchers.get(number)
        if voucher is None:
            raise _refused("999", "单据不存在")
        state = int(voucher["state"])
        return {"id": int(number), "code": voucher["code"], "verifystate": state, "isWfControlled": self.is_controlled}

    def _move(self, body: bytes, *, before: set[str], after: str) -> dict[str, Any]:
        [row] = json.loads(body)["data"]
        voucher = self.vouchers.get(str(row["id"]))
        if voucher is None or voucher["state"] not in before:
            return {"count": 1, "sucessCount": 0, "failCount": 1, "messages": ["单据状态不允许"], "infos": []}
        voucher["state"] = after
        return {"count": 1, "sucessCount": 1, "failCount": 0, "messages": [], "infos": []}


def _refused(code: str, words: str) -> Refused:
    return Refused({"code": code, "message": words})
