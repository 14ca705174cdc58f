"""What a warehouse calls us with: the worked vectors, who is let in, and what is answered."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters import qimen
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.adapters.qimen import sign
from channels.messages import IncomingParcel
from channels.simulators.qimen import Platform

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00:00 in China
VECTOR_BODY = (
    b'<?xml version="1.0" encoding="utf-8"?><request><deliveryOrder><deliveryOrderCode>SO-1</deliveryOrderCode>'
    b"</deliveryOrder></request>"
)
VECTOR_QUERY = {
    "app_key": "qmapp",
    "customerId": "C001",
    "format": "xml",
    "method": "deliveryorder.create",
    "sign_method": "md5",
    "timestamp": "2026-11-23 10:00:00",
    "v": "2.0",
}
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
OK = DECLARATION + b"<response><flag>success</flag><code>0</code><message>ok</message></response>"


@pytest.fixture
def warehouse() -> Platform:
    return Platform(clock=lambda: NOW)


CONNECTION = Connection("WMS", credentials={"app_key": "qmapp", "secret": "qmsecret", "customer_id": "C001"})


def receive(query: dict[str, str], body: bytes, connection: Connection = CONNECTION, at: datetime = NOW) -> Received:
    return qimen.ADAPTER.receive(Pushed(body, query=query), connection, at=at)


def confirm(warehouse: Platform, **changes: object) -> tuple[dict[str, str], bytes]:
    head = {"deliveryOrderCode": "P-1", "orderType": "JYCK", "status": "DELIVERED", "outBizCode": "B1", **changes}
    package = {"logisticsCode": "SF", "expressCode": "SF1"}
    return warehouse.pushed("deliveryorder.confirm", {"deliveryOrder": head, "packages": {"package": [package]}})


def signed(query: dict[str, str], body: bytes) -> dict[str, str]:
    bare = {name: value for name, value in query.items() if name != "sign"}
    return {**bare, "sign": sign.signature(bare, body, "qmsecret")}


def test_the_worked_vectors() -> None:
    assert sign.signature(VECTOR_QUERY, VECTOR_BODY, "qmsecret") == "D490EB53F5A0D8A8F3C486ECE4870653"
    documented = {
        "app_key": "testerp_appkey",
        "customerId": "stub-cust-code",
        "format": "xml",
        "method": "taobao.qimen.itemlack.report",
        "sign_method": "md5",
        "timestamp": "2015-04-26 00:00:07",
        "v": "2.0",
    }
    assert sign.signature(documented, b"body", "test") == "E4E83589F1454C1B677DDF0B59026C6A"


def test_a_confirmation_is_kept_and_answered_with_success(warehouse: Platform) -> None:
    query, body = confirm(warehouse)

    received = receive(query, body)

    assert (received.answer, received.content_type, received.wanted) == (OK, "text/xml;charset=utf-8", ())
    assert [(raw.kind, raw.external_id, raw.payload == body) for raw in received.messages] == [("parcel", "P-1", True)]
    assert received.messages[0].revision // 1000 == 1_795_399_200
    parcel = qimen.ADAPTER.translate(received.messages[0], CONNECTION)
    assert isinstance(parcel, IncomingParcel)
    assert (parcel.state, parcel.tracking_number, parcel.at) == ("shipped", "SF1", NOW)


def test_a_report_is_kept(warehouse: Platform) -> None:
    order, process = {"orderCode": "P-1"}, {"processStatus": "PICK", "operateTime": "2026-11-23 09:00:00"}
    query, body = warehouse.pushed("taobao.qimen.orderprocess.report", {"order": order, "process": process})

    [raw] = receive(query, body).messages

    assert (raw.external_id, raw.revision) == ("P-1", 1_795_395_600_030)


def test_the_same_confirmation_again_has_the_same_revision_although_it_is_signed_anew(warehouse: Platform) -> None:
    head = {"operateTime": "2026-11-23 09:59:59"}
    first = receive(*confirm(warehouse, **head))
    later = Platform(clock=lambda: NOW + timedelta(minutes=5))

    again = receive(*confirm(later, **head), at=NOW + timedelta(minutes=5))
    other = receive(*confirm(warehouse, **head, outBizCode="B2"))

    assert again.messages == first.messages
    assert other.messages[0].revision != first.messages[0].revision


@pytest.mark.parametrize(
    ("method", "request_", "words"),
    [
        ("inventory.report", {"checkOrderCode": "CK1"}, "inventory.report is not taken"),
        ("entryorder.confirm", {"entryOrder": {}}, "entryorder.confirm is not taken"),
        ("deliveryorder.confirm", {"deliveryOrder": "x"}, "deliveryOrder.deliveryOrderCode is missing"),
        ("deliveryorder.confirm", {"deliveryOrder": {"status": "NEW"}}, "deliveryOrderCode is missing"),
        ("deliveryorder.confirm", {"deliveryOrder": {"deliveryOrderCode": "9" * 81}}, "deliveryOrderCode is missing"),
        ("orderprocess.report", {"order": [{"orderCode": "1"}, {"orderCode": "2"}]}, "order.orderCode is missing"),
        (
            "orderprocess.report",
            {"order": {"orderCode": "1", "orderType": "CGRK"}, "process": {}},
            "this type of order is not taken",
        ),
        (
            "orderprocess.report",
            {"order": {"orderCode": "1", "orderType": {"a": "1"}}, "process": {}},
            "this type of order is not taken",
        ),
    ],
)
def test_what_is_not_kept_is_answered_with_failure(
    warehouse: Platform, method: str, request_: dict[str, object], words: str
) -> None:
    received = receive(*warehouse.pushed(method, request_))

    assert received.messages == ()
    assert received.answer is not None
    assert b"<flag>failure</flag>" in received.answer
    assert words.encode() in received.answer


def test_a_body_that_is_no_xml_is_answered_with_failure(warehouse: Platform) -> None:
    query, _ = confirm(warehouse)
    for body in (b"<request>", b"<!DOCTYPE request><request/>", b"\xff", b"<other/>"):
        received = receive(signed(query, body), body)
        assert (received.messages, b"<flag>failure</flag>" in (received.answer or b"")) == ((), True)


@pytest.mark.parametrize("name", ["sign", "method", "timestamp", "app_key", "customerId", "v"])
def test_a_changed_parameter_breaks_the_signature(warehouse: Platform, name: str) -> None:
    query, body = confirm(warehouse)

    with pytest.raises(NotAuthentic):
        receive({**query, name: query[name] + "1"}, body)


def test_a_changed_byte_of_the_body_breaks_the_signature(warehouse: Platform) -> None:
    query, body = confirm(warehouse)

    for other in (body + b" ", body.replace(b"SF1", b"SF2"), body.replace(b"utf-8", b"UTF-8"), b""):
        with pytest.raises(NotAuthentic):
            receive(query, other)


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": "2026-11-23 10:10:01"},
        {"timestamp": "2026-11-23 09:49:59"},
        {"timestamp": "now"},
        {"timestamp": ""},
    ],
    ids=["too new", "too old", "in words", "none"],
)
def test_a_call_from_another_time_is_refused(warehouse: Platform, change: dict[str, str]) -> None:
    query, body = confirm(warehouse)

    with pytest.raises(NotAuthentic):
        receive(signed({**query, **change}, body), body)


@pytest.mark.parametrize("timestamp", ["2026-11-23 10:10:00", "2026-11-23 09:50:00"])
def test_a_clock_may_be_ten_minutes_off(warehouse: Platform, timestamp: str) -> None:
    query, body = confirm(warehouse)

    assert receive(signed({**query, "timestamp": timestamp}, body), body).messages


def test_another_customers_call_and_a_channel_without_a_secret_are_refused(warehouse: Platform) -> None:
    query, body = confirm(warehouse)

    with pytest.raises(NotAuthentic):
        receive(signed({**query, "customerId": "C002"}, body), body)
    with pytest.raises(NotAuthentic):
        receive({**query, "sign": sign.signature(query, body, "")}, body, Connection("WMS"))
