"""Reading what the simulated shop lists, over real HTTP."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from channels.adapters import taobao
from channels.adapters.protocol import Connection, Rejected, RetryLater
from channels.messages import ListedItem
from channels.simulators.server import LoopbackServer, Response
from channels.simulators.taobao import Platform


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def connection(platform: Platform) -> Iterator[Connection]:
    with platform.serve() as server:
        yield Connection("TM", f"{server.url}/router/rest", platform.credentials)


def read(connection: Connection) -> list[list[ListedItem]]:
    return list(taobao.ADAPTER.listings(connection))


def test_an_item_is_listed_by_its_skus(platform: Platform, connection: Connection) -> None:
    platform.add_item(7, 71, outer_id="TEE-R", quantity=3, title="T恤", kind="红", price="99.00", barcode="690")
    platform.add_item(7, 72, outer_id="TEE-B", quantity=4, title="T恤", kind="蓝", price="89.00")

    assert read(connection) == [
        [
            ListedItem("7", "71", "TEE-R", "T恤 红", "690", 3, Decimal("99.00")),
            ListedItem("7", "72", "TEE-B", "T恤 蓝", "", 4, Decimal("89.00")),
        ]
    ]


def test_an_item_without_skus_is_listed_itself(platform: Platform, connection: Connection) -> None:
    platform.add_item(8, 0, outer_id="CAP", quantity=2, title="帽子", price="50.00", barcode="691")

    assert read(connection) == [[ListedItem("8", "", "CAP", "帽子", "691", 2, Decimal("50.00"))]]


def test_a_listing_without_a_code_has_the_one_that_its_orders_name(platform: Platform, connection: Connection) -> None:
    platform.add_item(7, 71, title="T恤")
    platform.add_item(8, 0, title="帽子")

    [[cap, tee]] = read(connection)

    assert (tee.external_code, cap.external_code) == ("71", "")


def test_pages_are_read_from_the_last_to_the_first(platform: Platform, connection: Connection) -> None:
    for number in range(1, 46):
        platform.add_item(number, 0, outer_id=f"C{number}", title="x")

    pages = read(connection)

    assert [len(page) for page in pages] == [5, 20, 20]
    assert sorted(one.external_code for page in pages for one in page) == sorted(f"C{n}" for n in range(1, 46))


def test_an_empty_shop_lists_nothing(connection: Connection) -> None:
    assert read(connection) == []


def test_the_shop_says_its_name(connection: Connection) -> None:
    assert taobao.ADAPTER.check(connection) == "演示旗舰店"


def test_a_wrong_session_is_refused(connection: Connection) -> None:
    wrong = Connection("TM", connection.base_url, dict(connection.credentials) | {"session": "old"})

    with pytest.raises(Rejected, match="code 27"):
        taobao.ADAPTER.check(wrong)
    with pytest.raises(Rejected, match="code 27"):
        read(wrong)


@pytest.mark.parametrize("total", ['"many"', "null", "[]"])
def test_an_answer_in_another_shape_is_tried_later(platform: Platform, total: str) -> None:
    answer = Response(f'{{"items_onsale_get_response": {{"total_results": {total}}}}}'.encode())
    with LoopbackServer(lambda _request: answer) as server, pytest.raises(RetryLater):
        read(Connection("TM", server.url, platform.credentials))
