"""The sink that accepts house-language deliveries."""

import hashlib
import hmac
from collections.abc import Iterator

import httpx
import pytest

from channels.simulators.house import House
from channels.simulators.server import LoopbackServer

BODY = '{"type":"stock_figure","quantity":3,"title":"上海"}'.encode()


@pytest.fixture
def house() -> House:
    return House(secret="s3cret")


@pytest.fixture
def client(house: House) -> Iterator[httpx.Client]:
    with LoopbackServer(house.answer) as server, httpx.Client(base_url=server.url) as connected:
        yield connected


def post(client: httpx.Client, body: bytes, *, key: str = "k-1", secret: str = "s3cret") -> httpx.Response:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return client.post("/deliveries/", content=body, headers={"X-Hub-Signature": signature, "Idempotency-Key": key})


def test_the_same_key_again_gets_the_same_answer_and_counts_once(client: httpx.Client) -> None:
    answers = [post(client, BODY), post(client, BODY), post(client, b"{}", key="k-2")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"accepted": True})] * 3
    assert client.get("/deliveries/").json() == {
        "count": 2,
        "deliveries": [
            {"key": "k-1", "times": 2, "body": {"type": "stock_figure", "quantity": 3, "title": "上海"}},
            {"key": "k-2", "times": 1, "body": {}},
        ],
    }


def test_what_is_not_signed_or_not_json_is_not_kept(house: House, client: httpx.Client) -> None:
    answers = [
        post(client, BODY, secret="wrong"),
        client.post("/deliveries/", content=BODY),
        post(client, BODY, key=""),
        post(client, b"{"),
        client.get("/elsewhere/"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 400, 400, 404]
    assert house.deliveries() == []
