"""Channels to test with."""

import pytest

from channels.models import Channel


@pytest.fixture
def channel(db: None) -> Channel:
    """A house-language channel."""
    return Channel.objects.create(code="SHOP", name="Shop", platform="own", adapter="house", credentials={"secret": "s"})
