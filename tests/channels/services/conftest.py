"""Channels to test with, and a partner that listens on loopback."""

from collections.abc import Iterator

import pytest

from channels.adapters.house import client
from channels.models import Channel
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer

SECRET = "house-secret"


@pytest.fixture
def channel(db: None) -> Channel:
    """A house-language channel without an address."""
    return make_channel("SHOP")


@pytest.fixture
def house() -> House:
    """What the partner's system keeps."""
    return House(secret=SECRET)


@pytest.fixture
def partner(house: House) -> Iterator[LoopbackServer]:
    """The partner's system, listening."""
    with LoopbackServer(house.answer) as server:
        yield server
        client.close()


def make_channel(code: str, base_url: str = "", adapter: str = "house") -> Channel:
    """Make an active channel."""
    return Channel.objects.create(
        code=code, name=code, platform="own", adapter=adapter, base_url=base_url, credentials={"secret": SECRET}
    )
