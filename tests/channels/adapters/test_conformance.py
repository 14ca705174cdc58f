"""What every adapter declares and what it says of itself, whatever its platform: one suite over all of them."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pytest

from channels.adapters.protocol import (
    Capabilities,
    Connection,
    NotAuthentic,
    NotOffered,
    Pushed,
    Rejected,
)
from channels.adapters.registry import BY_NAME
from channels.messages import (
    Address,
    DocumentLine,
    Notice,
    ParcelLine,
    ParcelRequest,
    PartnerEvent,
    PriceFigure,
    SalesDocument,
    ShipmentNotice,
    ShippedLine,
    StockFigure,
    TrackingRequest,
)
from channels.simulators.server import LoopbackServer, Request, Response
from tests.channels.adapters.conformance import (
    ADAPTERS,
    FOLDER,
    NOW,
    ROOT,
    TOKENS,
    has_own,
)

PAGE = ROOT / "docs/channels/README.md"


# -- what is declared -----------------------------------------------------------------------------

CALLS = {
    "pull_orders": ("pull",),
    "push_orders": ("receive",),
    "listing_pull": ("listings",),
}
MESSAGES = {
    "ship_confirm": ShipmentNotice("1", "P1", "SF", "SF1", NOW, (ShippedLine("1", 1),)),
    "stock_set": StockFigure("1", "2", 3, 1, "CUP"),
    "price": PriceFigure("1", "2", Decimal(3)),
    "parcels": ParcelRequest("P1", "O1", "N1", (ParcelLine("CUP", 1),), receiver=Address("上海市", "上海市")),
    "documents": SalesDocument(
        "sale", "S1", "O1", NOW, "C", "N1", "CNY", (DocumentLine(1, "CUP", 1, Decimal(3), Decimal(3)),)
    ),
    "tracking": TrackingRequest("P1", "SF", "SF1"),
    "notices": Notice("a@b.cn", "S", "T"),
    "events": PartnerEvent("order.created", "O1", NOW, {}),
}


def is_declared(capabilities: Capabilities, capability: str) -> bool:
    alike = {"stock_set": ("stock_set", "stock_delta"), "push_orders": ("push_orders", "parcels", "tracking")}
    return any(getattr(capabilities, name) for name in alike.get(capability, (capability,)))


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_has_the_calls_it_declares_and_no_others(name: str) -> None:
    adapter = BY_NAME[name]
    for capability, calls in CALLS.items():
        declared = is_declared(adapter.capabilities, capability)
        assert {call: has_own(adapter, call) for call in calls} == dict.fromkeys(calls, declared)
    if adapter.capabilities.pull_orders and adapter.capabilities.push_orders:
        assert has_own(adapter, "fetch")  # such a push only names an order
    takes = {capability for capability in MESSAGES if is_declared(adapter.capabilities, capability)}
    assert has_own(adapter, "deliver") == bool(takes)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_call_that_is_not_declared_is_not_offered(name: str) -> None:
    adapter, nowhere = BY_NAME[name], Connection("C", "http://127.0.0.1:9")
    calls: dict[str, Callable[[], object]] = {
        "pull": lambda: list(adapter.pull(nowhere, since=NOW, until=NOW)),
        "fetch": lambda: adapter.fetch(nowhere, ["1"]),
        "receive": lambda: adapter.receive(Pushed(b""), nowhere, at=NOW),
        "listings": lambda: list(adapter.listings(nowhere)),
        "deliver": lambda: adapter.deliver(MESSAGES["stock_set"], nowhere, key="k"),
        "renew": lambda: adapter.renew(nowhere),
        "check": lambda: adapter.check(nowhere),
    }
    for call, made in calls.items():
        if not has_own(adapter, call):
            with pytest.raises(NotOffered):
                made()


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_message_that_is_not_declared_is_refused_before_anything_is_sent(name: str) -> None:
    adapter, called = BY_NAME[name], []

    def answer(request: Request) -> Response:
        called.append(request.path)
        return Response(b"{}")

    with LoopbackServer(answer) as server:
        secrets = dict.fromkeys({*adapter.credential_names, *TOKENS}, "x")
        connection = Connection("C", server.url + "/x", secrets)
        for capability, message in MESSAGES.items():
            if name != "house" and not is_declared(adapter.capabilities, capability):
                with pytest.raises((NotOffered, Rejected)):
                    adapter.deliver(message, connection, key="k")
    assert called == []


@pytest.mark.parametrize("name", [name for name in ADAPTERS if has_own(BY_NAME[name], "receive")])
def test_what_nobody_signed_is_not_authentic(name: str) -> None:
    adapter = BY_NAME[name]
    secrets = dict.fromkeys(adapter.credential_names, "x")
    unsigned = Pushed(b'{"order_id": 1}', query={"timestamp": "1", "nonce": "n", "msg_signature": "s"})
    for credentials in ({}, secrets):
        with pytest.raises(NotAuthentic):
            adapter.receive(unsigned, Connection("C", credentials=credentials), at=NOW)


PLATFORMS = [name for name in ADAPTERS if has_own(BY_NAME[name], "deliver") and not BY_NAME[name].capabilities.notices]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_channel_without_its_credentials_is_told_which_are_missing(name: str) -> None:
    adapter = BY_NAME[name]
    for capability, message in MESSAGES.items():
        if is_declared(adapter.capabilities, capability):
            with pytest.raises(Rejected):
                adapter.deliver(message, Connection("C"), key="k")


def named(folder: Path, what: str) -> tuple[set[str], set[str]]:
    """Return the names an adapter's files read of credentials or options, and all texts in them and what they share."""
    read, texts = set(), set()
    for path in [*folder.glob("*.py"), *FOLDER.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and path.name != "adapter.py":
                texts.add(node.value)
            words: list[ast.expr] = []
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith(what):
                words = [node.slice]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(f"{what}.get"):
                words = node.args[:1]
            elif isinstance(node, ast.Call) and what == "credentials" and ast.unparse(node.func) == "calls.require":
                words = node.args[2:]
            own = words if path.parent == folder else []
            read |= {word.value for word in own if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    return read, texts


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_names_a_person_is_asked_for_are_the_names_that_are_read(name: str) -> None:
    adapter, folder = BY_NAME[name], FOLDER / name
    read, texts = named(folder, "credentials")
    assert read - TOKENS <= set(adapter.credential_names)
    assert set(adapter.credential_names) <= texts
    read, texts = named(folder, "options")
    assert read <= set(adapter.option_names)
    assert set(adapter.option_names) <= texts


# -- the page -------------------------------------------------------------------------------------

WORDS = {
    "pull_orders": "pull",
    "push_orders": "push",
    "ship_confirm": "shipments",
    "refund_in": "refunds",
    "cancel_in": "cancellations",
    "stock_set": "stock",
    "stock_delta": "stock changes",
    "listing_pull": "listings",
    "price": "prices",
    "parcels": "parcels",
    "receivers": "labels",
    "documents": "documents",
    "tracking": "tracking",
    "notices": "notices",
    "events": "events",
}


NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def rows() -> Mapping[str, list[str]]:
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in found}


def unverified(name: str) -> set[str]:
    """Return what an adapter's page names as unverified, but the files it lies in."""
    page = ROOT / "docs/channels" / f"{name}.md"
    found = re.search(r"\*\*Unverified.*?(?=\n\n|\Z)", page.read_text("utf-8"), re.DOTALL) if page.exists() else None
    return {word for word in re.findall(r"`([^`]+)`", found[0] if found else "") if not word.endswith(".py")}


def lines_of_code(text: str) -> int:
    """Return how many lines hold code: not those of docstrings, of comments alone, and empty ones."""
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            told.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    held = {
        number
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in NO_CODE
        for number in range(token.start[0], token.end[0] + 1)
    }
    return len(held - told)


def test_lines_of_code_are_counted_without_docstrings_comments_and_empty_lines() -> None:
    text = (
        '"""A page."""\n\n# Why.\nA = (\n    1,  # one\n)\n\n\ndef b():\n    """Say\n    b."""\n    return """x\ny"""\n'
    )
    assert lines_of_code(text) == 6


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_page_says_what_an_adapter_can_and_what_it_costs(name: str) -> None:
    _page, can, code, lines, unsure = rows()[name]
    told = {WORDS[each] for each, value in asdict(BY_NAME[name].capabilities).items() if value}
    texts = [path.read_text("utf-8") for path in (FOLDER / name).glob("*.py")]
    sizes = sum(map(lines_of_code, texts)), sum(len(text.splitlines()) for text in texts)

    assert set(filter(None, can.split(", "))) == told
    for said, counted in zip((code, lines), sizes, strict=True):
        assert 0 <= int(said) - counted < 10, (
            f"{name} has {sizes} lines of code and in all: say them rounded up to tens"
        )
    assert int(unsure) == len(unverified(name))


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_constant_that_is_called_unverified_is_there(name: str) -> None:
    code = "\n".join(path.read_text("utf-8") for path in (FOLDER / name).glob("*.py"))
    constants = {word for word in unverified(name) if re.fullmatch(r"[A-Z][A-Z_]+", word)}

    assert {word for word in constants if not re.search(rf"\b{word}\b", code)} == set()


def test_the_registry_is_in_alphabetical_order() -> None:
    assert list(BY_NAME) == ADAPTERS
