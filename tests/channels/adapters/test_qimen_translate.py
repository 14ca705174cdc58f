"""What a warehouse says of a parcel, into the house language: what each word becomes, and what is refused."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.adapters import markup, qimen
from channels.adapters.protocol import Connection
from channels.adapters.qimen import translate
from channels.messages import IncomingParcel, ParcelLine, ParcelState, RawMessage, Untranslatable

SAMPLES = Path(qimen.__file__).parent / "samples"
CODE = "F-20261123-7"
CONFIRM = (SAMPLES / "confirm.xml").read_text("utf-8")
PROCESS = (SAMPLES / "process.xml").read_text("utf-8")
SENT_AT = datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)
CALLED_AT = datetime(2026, 11, 23, 10, 0, 9, tzinfo=UTC)
REVISION = 1_795_428_009_000


def read(text: str, options: dict[str, object] | None = None) -> IncomingParcel:
    parcel = qimen.ADAPTER.translate(
        RawMessage("parcel", CODE, REVISION, text.encode()), Connection("WMS", options=options or {})
    )
    assert isinstance(parcel, IncomingParcel)
    return parcel


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(Untranslatable) as caught:
        read(text)
    return caught.value.code, str(caught.value.reason)


def revision(text: str) -> int:
    return translate.revision_of(markup.read(text.encode())[1], called_at=CALLED_AT)


def with_status(status: str) -> str:
    return PROCESS.replace(">PICK<", f">{status}<")


def test_a_confirmation_has_every_field() -> None:
    assert read(CONFIRM) == IncomingParcel(
        external_id=CODE,
        revision=REVISION,
        state=ParcelState.SHIPPED,
        at=SENT_AT,
        carrier_code="SF",
        tracking_number="SF1234567890123",
        lines=(ParcelLine("TEE-RED-M", 2), ParcelLine("CAP-BLUE", 1)),
    )


def test_a_report_has_every_field() -> None:
    assert read(PROCESS) == IncomingParcel(
        external_id=CODE,
        revision=REVISION,
        state=ParcelState.PICKED,
        at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        reason="拣货完成",
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NEW", "accepted"),
        ("ACCEPT", "accepted"),
        ("PRINT", "accepted"),
        ("PICK", "picked"),
        ("CHECK", "picked"),
        ("PACKAGE", "packed"),
        ("WEIGH", "packed"),
        ("READY", "packed"),
        ("PARTDELIVERED", "shipped"),
        ("DELIVERED", "shipped"),
        ("REJECT", "refused"),
        ("CANCELED", "cancelled"),
        ("CLOSED", "cancelled"),
    ],
)
def test_each_word_is_a_state(status: str, state: str) -> None:
    assert read(with_status(status)).state == state
    confirmed = read(CONFIRM.replace(">DELIVERED<", f">{status}<"))
    assert (confirmed.state, confirmed.reason) == (state, "" if state == "shipped" else status)


@pytest.mark.parametrize(
    "status",
    [
        *("EXCEPTION", "CANCELEDFAIL", "SIGN", "REFUSE", "TMSCANCELED", "TMSCANCELFAILED"),
        *("OTHER", "PARTFULFILLED", "FULFILLED"),
    ],
)
def test_a_word_that_moves_no_parcel_is_told_to_a_person(status: str) -> None:
    assert refusal(with_status(status)) == (
        "no_state",
        f"The warehouse reports {status}, which moves no parcel: 拣货完成",
    )
    assert refusal(CONFIRM.replace(">DELIVERED<", f">{status}<"))[0] == "no_state"


def test_a_confirmation_without_a_status_means_shipped() -> None:
    assert read(CONFIRM.replace("<status>DELIVERED</status>", "")).state is ParcelState.SHIPPED


def test_several_packages_are_one_parcel_with_a_remark() -> None:
    second = (
        "<package><logisticsCode>ZTO</logisticsCode><expressCode>ZTO2</expressCode>"
        "<items><item><itemCode>TEE-RED-M</itemCode><quantity>1.00</quantity></item></items></package></packages>"
    )
    parcel = read(CONFIRM.replace("</packages>", second))

    assert (parcel.carrier_code, parcel.tracking_number) == ("SF", "SF1234567890123")
    assert parcel.lines == (ParcelLine("TEE-RED-M", 3), ParcelLine("CAP-BLUE", 1))
    assert [str(remark) for remark in parcel.remarks] == [
        "The warehouse sent this parcel in several packages; the others are ZTO2."
    ]


@pytest.mark.parametrize("change", [(">0</confirmType>", ">1</confirmType>"), (">DELIVERED<", ">PARTDELIVERED<")])
def test_a_part_leaves_a_remark(change: tuple[str, str]) -> None:
    assert [str(remark) for remark in read(CONFIRM.replace(*change)).remarks] == [
        "The warehouse has sent a part of this parcel; more is to come."
    ]


def test_where_packages_name_no_items_the_orders_lines_count() -> None:
    head, tail = CONFIRM.split("<packages>")[0], "</request>"
    lines = (
        "<orderLines><orderLine><itemCode>A</itemCode><planQty>3</planQty><actualQty>2</actualQty></orderLine>"
        "<orderLine><itemCode>B</itemCode><actualQty>0</actualQty></orderLine></orderLines>"
    )

    parcel = read(head + lines + tail)

    assert (parcel.lines, parcel.tracking_number, parcel.carrier_code) == ((ParcelLine("A", 2),), "", "")


def test_a_moment_that_is_not_told_is_that_of_the_call() -> None:
    text = CONFIRM.replace("<operateTime>2026-11-23 18:00:05</operateTime>", "")

    assert read(text).at == CALLED_AT
    assert read(
        text.replace("<confirmType>", "<orderConfirmTime>2026-11-23 17:59:00</orderConfirmTime><confirmType>")
    ).at == (datetime(2026, 11, 23, 9, 59, tzinfo=UTC))


def test_a_carrier_with_another_code_is_named_in_our_words() -> None:
    text = CONFIRM.replace("<logisticsCode>SF<", "<logisticsCode>SFEXPRESS<")

    assert read(text).carrier_code == "SFEXPRESS"
    assert read(text, {"carriers": {"SF": "SFEXPRESS"}}).carrier_code == "SF"


def test_the_number_of_a_package_may_come_with_a_report() -> None:
    text = with_status("DELIVERED").replace("<operateInfo>", "<expressCode>SF9</expressCode><operateInfo>")

    assert read(text).tracking_number == "SF9"


def test_a_revision_is_the_same_for_the_same_and_grows_with_the_work() -> None:
    steps = ["ACCEPT", "PRINT", "PICK", "CHECK", "PACKAGE", "WEIGH", "READY", "DELIVERED"]
    same_second = CONFIRM.replace("18:00:05", "17:30:00")
    revisions = [revision(with_status(step)) for step in steps] + [
        revision(same_second.replace(">0</confirmType>", ">1</confirmType>")),
        revision(same_second),
    ]

    assert revisions == sorted(set(revisions))
    assert revision(CONFIRM) // 1000 == 1_795_428_005
    assert revision(CONFIRM) == revision(CONFIRM.replace("0.80", "0.90"))
    assert revision(CONFIRM) != revision(CONFIRM.replace("OB-1", "OB-2"))


@pytest.mark.parametrize("old", ["2026-11-23 18:00:05", "18:00:05"])
def test_without_a_moment_that_can_be_read_the_revision_is_the_calls(old: str) -> None:
    text = CONFIRM.replace(old, "")

    assert revision(text) // 1000 == 1_795_428_009


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param("<request>", "malformed_xml", "The message is not XML", id="cut"),
        pytest.param("<request/>", "missing_field", "deliveryOrder is missing.", id="empty"),
        pytest.param(CONFIRM.replace(CODE, "F-1"), "bad_value", "deliveryOrderCode is F-1", id="another parcel"),
        pytest.param(CONFIRM.replace(">DELIVERED<", ">GONE<"), "unknown_status", "status is GONE", id="unknown word"),
        pytest.param(with_status("GONE"), "unknown_status", "process.processStatus is GONE", id="unknown step"),
        pytest.param(with_status(""), "unknown_status", "process.processStatus is", id="no step"),
        pytest.param(CONFIRM.replace("18:00:05", "25:00:00"), "bad_time", "operateTime is", id="no such hour"),
        pytest.param(CONFIRM.replace("2026-11-23", "23.11.2026"), "bad_time", "operateTime is", id="other format"),
        pytest.param(CONFIRM.replace(">2<", ">-2<"), "bad_quantity", "packages[0].quantity is -2", id="negative"),
        pytest.param(CONFIRM.replace(">2<", ">2.5<"), "bad_quantity", "packages[0].quantity is 2.5", id="half"),
        pytest.param(CONFIRM.replace(">2<", ">100001<"), "bad_quantity", "quantity is 100001", id="absurd"),
        pytest.param(CONFIRM.replace(">2<", "><"), "bad_quantity", "packages[0].quantity is", id="no quantity"),
        pytest.param(
            CONFIRM.replace("<itemCode>CAP-BLUE</itemCode>", ""), "missing_field", "itemCode is missing.", id="no item"
        ),
        pytest.param(
            CONFIRM.replace("SF1234567890123", ""),
            "missing_field",
            "packages[0].expressCode is missing.",
            id="no number",
        ),
        pytest.param(
            CONFIRM.replace("SF1234567890123", "9" * 81), "bad_value", "packages[0].expressCode is", id="long number"
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_field(text: str, code: str, words: str) -> None:
    told = refusal(text)

    assert (told[0], words in told[1]) == (code, True), told


@pytest.mark.parametrize("sample", [CONFIRM, PROCESS], ids=["confirmation", "report"])
def test_whatever_stands_in_an_element_is_read_or_refused(sample: str) -> None:
    leaves = re.findall(r"<(\w+)>([^<>]+)</\1>", sample)
    refused = 0
    for name, kept in leaves:
        whole = f"<{name}>{kept}</{name}>"
        for odd in ("", f"<{name}/>", f"<{name}><a>1</a></{name}>", whole * 2, f"<{name}>{'9' * 600}</{name}>"):
            text = sample.replace(whole, odd)
            revision(text)
            try:
                read(text)
            except Untranslatable:
                refused += 1

    assert refused > 5
    assert len(leaves) > 5


def test_nothing_that_a_document_declares_is_expanded() -> None:
    laughs = (
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        "<request><deliveryOrder><deliveryOrderCode>&b;</deliveryOrderCode></deliveryOrder></request>"
    )
    outside = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><request><process>&x;</process></request>'

    for text in (laughs, outside, "<!DOCTYPE request><request/>"):
        with pytest.raises(markup.NotReadable, match="DOCTYPE"):
            markup.read(text.encode())


@pytest.mark.parametrize(
    "text",
    ["", "<a>", "<a>&b;</a>", "<a/><b/>", "a", '<?xml version="1.0" encoding="gbk"?><a/>', "<a>" * 21 + "</a>" * 21],
    ids=["nothing", "cut", "unknown entity", "two roots", "no element", "other encoding", "too deep"],
)
def test_what_is_not_read(text: str) -> None:
    with pytest.raises(markup.NotReadable):
        markup.read(text.encode())


def test_values_go_round_through_xml() -> None:
    value = {"a": "<&>\"' 韩 👍", "b": {"c": [{"d": "1"}, {"d": "2"}]}, "e": ""}

    written = markup.write("request", {**value, "f": None, "g": "x\u0000\ufffey"})

    assert written.startswith(b'<?xml version="1.0" encoding="utf-8"?><request><a>&lt;&amp;&gt;')
    assert markup.read(written) == ("request", {"a": "<&>\"' 韩 👍", "b": value["b"], "g": "xy"})
    assert markup.read(b"<r>text</r>") == ("r", {})
    assert markup.rows({"item": "x"}, "item") == ["x"]
    assert markup.rows("", "item") == []
