"""Kingdee K3Cloud on loopback: bills are saved, submitted, audited and asked for, behind both signatures.

Refuses what the contract says a site refuses: unknown materials and customers, a bill number that is there already
(both are ``MsgCode`` 11), steps out of order. ``wraps`` answers with JSON inside a JSON text, as some sites do.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

from channels.simulators.server import Request, Response
from channels.simulators.signed import SignedPlatform

STUB = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService."
MASK = b"0054f397c6234378b09ca7d3e5debce7"
FORMS = {
    "SAL_SaleOrder": ("FCustId", "FSaleOrderEntry", "FQty", ("FDate", "FSaleOrgId", "FBillTypeID")),
    "SAL_OUTSTOCK": ("FCustomerID", "FEntity", "FRealQty", ("FDate", "FSaleOrgId", "FStockOrgId", "FBillTypeID")),
    "SAL_RETURNSTOCK": ("FRetcustId", "FEntity", "FRealQty", ("FDate", "FSaleOrgId", "FStockOrgId", "FBillTypeID")),
}
MOVES = {"Submit": ({"A", "D", "Z"}, "B"), "Audit": ({"B"}, "C")}
WHERE = re.compile(r"FBillNo = '((?:[^']|'')*)'")


class _No(Exception):
    def __init__(self, code: int, words: str, field: str = "") -> None:
        super().__init__(code, words)
        self.code, self.words, self.field = code, words, field


class Platform(SignedPlatform):
    """One account's bills. ``materials`` and ``customers`` that are empty take any."""

    path: ClassVar[str] = "/k3cloud"
    usual: ClassVar[Mapping[str, str]] = {
        "app_id": "224543_abcdefghijklmnopqrstuvwxyzABCDEF",
        "app_secret": "appsecret123",
        "acct_id": "acct123",
        "user": "user",
    }

    def __init__(self, *, wraps: bool = False, **parts: Any) -> None:
        super().__init__(**parts)
        self.options = {"org": "100"}
        self.wraps = wraps
        self.bills: dict[tuple[str, str], dict[str, Any]] = {}  # form and number → status and model
        self.materials: set[str] = set()
        self.customers: set[str] = set()
        self.next_code: list[int] = []  # MsgCodes with which the next calls are refused
        self._ids = count(100001)

    def bill(self, form: str, number: str) -> dict[str, Any]:
        """Return a bill; raises ``KeyError``."""
        with self.lock:
            return dict(self.bills[form, number])

    def state(self) -> dict[str, Any]:
        """Return the bills' statuses."""
        with self.lock:
            return {
                "bills": {" ".join(key): bill["status"] for key, bill in self.bills.items()},
                "calls": dict(self.calls),
            }

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; refusals come with HTTP 200."""
        if request.path.startswith("/control/"):
            return super().answer(request)
        method = request.path.removeprefix(f"{self.path}/{STUB}").removesuffix(".common.kdsvc")
        if request.method != "POST" or method not in ("Save", "Submit", "Audit", "ExecuteBillQuery"):
            return Response(b"Not Found", 404, "text/plain")
        with self.lock:
            self.calls[method] += 1
            try:
                told = self._call(method, request)
            except _No as no:
                errors = [{"FieldName": no.field, "Message": no.words, "DIndex": 0}]
                told = {"Result": {"ResponseStatus": {"ErrorCode": 500, "IsSuccess": False, "Errors": errors,
                                                      "SuccessEntitys": [], "MsgCode": no.code}}}  # fmt: skip
                told = [[told]] if method == "ExecuteBillQuery" else told
        text = json.dumps(told, ensure_ascii=False)
        return Response((json.dumps(text) if self.wraps else text).encode())

    def _call(self, method: str, request: Request) -> Any:
        self._check(request)
        if self.next_code:
            raise _No(self.next_code.pop(0), "now not")
        asked = json.loads(request.body, parse_float=Decimal)
        if method == "ExecuteBillQuery":
            return self._query(asked["data"])
        form, data = asked.get("formid"), asked.get("data")
        if form not in FORMS:
            raise _No(5, "FormId")
        return self._save(form, data) if method == "Save" else self._move(method, form, data)

    def _check(self, request: Request) -> None:
        given, client_id = request.headers, self.credentials["app_id"].partition("_")[0]
        hidden = base64.b64decode(self.credentials["app_id"].partition("_")[2])
        secret = base64.b64encode(bytes(a ^ b for a, b in zip(hidden, MASK, strict=False))).decode()
        nonce, timestamp = given.get("x-api-nonce", ""), given.get("x-api-timestamp", "")
        signed = f"POST\n{quote(request.path, safe='')}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{timestamp}\n"
        account = f"{self.credentials['acct_id']},{self.credentials['user']},2052,{self.options['org']}"
        expected = {
            "x-api-clientid": client_id,
            "x-api-auth-version": "2.0",
            "x-api-signature": _sealed(secret, signed),
            "x-kd-appdata": base64.b64encode(account.encode()).decode(),
            "x-kd-signature": _sealed(self.credentials["app_secret"], self.credentials["app_id"] + account),
        }
        wrong = [name for name, value in expected.items() if given.get(name) != value]
        if wrong:
            raise _No(2, f"{wrong[0]} is wrong")

    def _save(self, form: str, data: Mapping[str, Any]) -> dict[str, Any]:
        model = data["Model"]
        customer, lines, quantity, needed = FORMS[form]
        for name in (*needed, customer, lines):
            if not model.get(name):
                raise _No(9, "必填", name)
        number = model["FBillNo"]
        if (form, number) in self.bills:
            raise _No(11, f"单据编号“{number}”已存在", "FBillNo")
        if self.customers and model[customer]["FNumber"] not in self.customers:
            raise _No(11, "客户不存在", customer)
        for line in model[lines]:
            if self.materials and line["FMaterialId"]["FNumber"] not in self.materials:
                raise _No(11, "物料不存在", "FMaterialId")
            if not isinstance(line[quantity], int) or not isinstance(line["FTaxPrice"], int | Decimal):
                raise _No(11, "数量或单价", quantity)
        self.bills[form, number] = {"id": next(self._ids), "status": "A", "model": model}
        return self._said(form, number)

    def _move(self, method: str, form: str, data: Mapping[str, Any]) -> dict[str, Any]:
        [number] = data["Numbers"]
        bill = self.bills.get((form, number))
        if bill is None:
            raise _No(10, "没有数据")
        before, after = MOVES[method]
        if bill["status"] not in before:
            raise _No(12, f"单据状态为 {bill['status']}")
        bill["status"] = after
        return self._said(form, number)

    def _query(self, asked: Mapping[str, Any]) -> list[list[Any]]:
        found = WHERE.fullmatch(asked["FilterString"])
        if found is None or asked["FormId"] not in FORMS:
            raise _No(8, "FilterString")
        number = found[1].replace("''", "'")
        bill = self.bills.get((asked["FormId"], number))
        values = {"FBillNo": number, "FDocumentStatus": bill["status"]} if bill else {}
        return [[values[name] for name in asked["FieldKeys"].split(",")]] if values else []

    def _said(self, form: str, number: str) -> dict[str, Any]:
        bill = self.bills[form, number]
        done = [{"Id": str(bill["id"]), "Number": number, "DIndex": 0}]
        status = {"ErrorCode": "", "IsSuccess": True, "Errors": [], "SuccessEntitys": done, "MsgCode": 0}
        return {"Result": {"ResponseStatus": status, "Id": bill["id"], "Number": number}}


def _sealed(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()
