"""Sealed texts: what opens, what does not, and that nothing of the secret is in what is stored or said."""

import base64

import pytest

from channels.rules import vault
from channels.rules.vault import BadKeys, CannotOpen

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(32, 64))).decode()
RING = vault.ring_from(f"2026:{NEW},2025:{OLD}")


def test_a_sealed_text_opens_for_its_owner_and_names_its_key() -> None:
    sealed = vault.seal(b"hush-hush", RING, owner="channel:1")
    assert sealed.startswith("v1:2026:")
    assert vault.open_sealed(sealed, RING, owner="channel:1") == b"hush-hush"
    assert len(base64.b64decode(sealed.split(":")[2])) == 12 + len(b"hush-hush") + 16


def test_the_same_secret_is_never_the_same_text() -> None:
    assert len({vault.seal(b"x", RING, owner="channel:1") for _ in range(50)}) == 50


def test_a_text_under_an_older_key_opens_while_that_key_is_there() -> None:
    sealed = vault.seal(b"x", vault.ring_from(f"2025:{OLD}"), owner="channel:1")
    assert vault.open_sealed(sealed, RING, owner="channel:1") == b"x"
    with pytest.raises(CannotOpen, match="no key is called '2025'"):
        vault.open_sealed(sealed, vault.ring_from(f"2026:{NEW}"), owner="channel:1")


def changed(sealed: str) -> str:
    head, _, box = sealed.rpartition(":")
    raw = bytearray(base64.b64decode(box))
    raw[-1] ^= 1
    return f"{head}:{base64.b64encode(bytes(raw)).decode()}"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(changed, id="one bit"),
        pytest.param(lambda sealed: sealed[:-8], id="cut"),
        pytest.param(lambda sealed: sealed.replace("2026", "2025"), id="another key's name"),
        pytest.param(lambda sealed: sealed.replace("v1", "v2"), id="another version"),
        pytest.param(lambda sealed: "v1:2026:", id="nothing"),
        pytest.param(lambda sealed: "v1:2026:AAAA", id="shorter than a nonce"),
        pytest.param(lambda sealed: '{"secret": "hush-hush"}', id="plain"),
        pytest.param(lambda sealed: "", id="empty"),
    ],
)
def test_a_spoiled_text_does_not_open(spoil) -> None:
    with pytest.raises(CannotOpen) as refusal:
        vault.open_sealed(spoil(vault.seal(b"hush-hush", RING, owner="channel:1")), RING, owner="channel:1")
    assert "hush" not in str(refusal.value)


def test_a_text_does_not_open_for_another_owner() -> None:
    sealed = vault.seal(b"x", RING, owner="channel:1")
    with pytest.raises(CannotOpen, match="not sealed for channel:2"):
        vault.open_sealed(sealed, RING, owner="channel:2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(NEW, "key 1 has no id", id="no id"),
        pytest.param(f"a:{NEW},a:{OLD}", "key 2 has no id of its own", id="the same id twice"),
        pytest.param("a:c2hvcnQ=", "key a has 5 bytes instead of 32", id="short"),
        pytest.param("a:?!", "key a is not base64", id="not base64"),
        pytest.param(f"a b:{NEW}", "key 1 has no id", id="an id with a space"),
        pytest.param(f"a:{NEW},", "key 2 has no id", id="a comma too many"),
    ],
)
def test_bad_keys_are_refused_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(BadKeys, match=words) as refusal:
        vault.ring_from(text)
    assert NEW not in str(refusal.value)


def test_a_derived_key_is_the_same_each_time_and_another_for_another_secret() -> None:
    sealed = vault.seal(b"x", vault.derived_ring("one"), owner="channel:1")
    assert vault.open_sealed(sealed, vault.derived_ring("one"), owner="channel:1") == b"x"
    with pytest.raises(CannotOpen):
        vault.open_sealed(sealed, vault.derived_ring("two"), owner="channel:1")


def test_a_ring_does_not_show_its_keys() -> None:
    assert repr(RING) == "Ring(first='2026')"
