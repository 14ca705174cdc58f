"""The server under the simulators: faults by chance and by plan, and the command that starts them all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from channels.adapters import registry
from channels.management.commands.simulators import PLATFORMS
from channels.simulators.server import Faults, LoopbackServer, Request, Response, UnknownFault

ROOT = Path(__file__).parents[3]


def test_chances_are_read_and_repeat_with_the_same_seed() -> None:
    first, second = (Faults.parse("http500=0.5, slow=0", seed=7) for _ in range(2))

    rolls = [first.strikes("http500") for _ in range(50)]

    assert rolls == [second.strikes("http500") for _ in range(50)]
    assert 10 < sum(rolls) < 40
    assert not any(first.strikes("slow") for _ in range(50))


@pytest.mark.parametrize("text", ["boom=0.1", "slow", "slow=often", "slow=1.5"])
def test_a_fault_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UnknownFault):
        Faults.parse(text)


def test_a_planned_fault_strikes_when_planned() -> None:
    faults = Faults()
    faults.plan("http500", 2, after=1)

    with LoopbackServer(lambda request: Response(b"{}"), faults=faults) as server, httpx.Client() as client:
        assert [client.get(server.url).status_code for _ in range(4)] == [200, 500, 500, 200]


def test_a_lost_answer_was_still_acted_on_and_a_cut_one_was_not() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.path)
        return Response(b"{}")

    with LoopbackServer(answer) as server:
        for fault in ("cut", "lost"):
            server.faults.plan(fault)
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{server.url}/{fault}")

    assert seen == ["/lost"]


def test_an_absolute_target_is_served_like_a_plain_one() -> None:
    with (
        LoopbackServer(lambda request: Response(request.path.encode())) as server,
        httpx.Client(proxy=server.url) as client,
    ):
        answer = client.get("http://gateway.example/router/rest?a=1")

    assert answer.text == "/router/rest"


def run_command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "simulators", *arguments],
        cwd=ROOT,
        env={**os.environ, "TAOBAO_SIM_PORT": "0", "HOUSE_SIM_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_they_are_and_ends_on_a_signal(number: signal.Signals) -> None:
    with run_command("--only", "taobao,house") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(2)]
        try:
            state = httpx.get(lines[0][1].replace("/router/rest", "/control/state")).json()
            kept = httpx.get(lines[1][1]).json()
        finally:
            process.send_signal(number)
        rest, errors = process.communicate(timeout=20)

    assert [line[0] for line in lines] == ["taobao:", "house:"]
    assert (state["trades"], kept) == (0, {"count": 0, "deliveries": []})
    assert (process.returncode, rest, errors) == (0, "stopped\n", "")


def test_the_command_plays_every_platform_that_has_an_adapter() -> None:
    with run_command("--show-credentials", *(f"--{name.replace('_', '-')}-port=0" for name in PLATFORMS)) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(2 * len(PLATFORMS))]
        try:
            urls = dict(line.strip().split(": ", 1) for line in told[::2])
            states = {
                name: httpx.get(httpx.URL(url).join("/control/state")).status_code
                for name, url in urls.items()
                if registry.BY_NAME[name].capabilities.pull_orders
            }
        finally:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert set(urls) == set(registry.BY_NAME) - {"file"}
    assert set(states.values()) == {200}
    given = dict(zip(urls, (json.loads(line) for line in told[1::2]), strict=True))
    assert given["house"] == {"credentials": {"secret": "house-secret"}, "options": {}}
    assert given["jd"]["options"] == {"oauth_url": "/"}
    for name, what in given.items():
        adapter = registry.BY_NAME[name]
        assert set(what["credentials"]) - {"access_token"} <= set(adapter.credential_names), name
        assert set(what["options"]) <= set(adapter.option_names), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "taobao,ebay"], "ebay: known are taobao, house, douyin"),
        (["--only", "jd", "--jd-port", "TAKEN"], "of jd is taken"),
    ],
)
def test_the_command_refuses_what_it_cannot_play(arguments: list[str], words: str) -> None:
    with LoopbackServer(lambda request: Response(b"")) as server:
        port = server.url.rsplit(":", 1)[1]
        with run_command(*(word.replace("TAKEN", port) for word in arguments)) as process:
            rest, errors = process.communicate(timeout=20)

    assert (process.returncode, rest) == (1, "")
    assert words in errors


def test_the_command_refuses_an_unknown_fault() -> None:
    with run_command("--faults", "boom=1") as process:
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "boom: known faults are slow, http500" in errors
