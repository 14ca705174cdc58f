"""The supervisor of the whole hub, with real servers and small programs in place of the hub's own."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from config.embedded import environment, processes

PATIENCE = 40.0
STAND_IN = """
import os, sys
from config import run
from config.embedded.supervisor import Program

def python(name, code):
    return Program(name, (sys.executable, "-c", code))

web = "import os; os.chdir(os.environ['HUB_DIR'] + '/page');"
web += "from http.server import test, SimpleHTTPRequestHandler as H;"
web += "test(H, port=int(os.environ['PORT']), bind='127.0.0.1')"
worker = "import os, subprocess, sys, time; print('ERROR is shown', flush=True);"
worker += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
worker += os.environ.get("WORKER", "time.sleep(600)")
plan = run.Plan(
    before=(python("migrate", os.environ.get("MIGRATE", "print('a long step talks')")),),
    admin=python("admin", "print('User admin')"),
    web=python("web", web),
    load=(),
    children=(python("worker", worker),),
    after=(python("traffic", os.environ.get("TRAFFIC", "pass")),),
    summary=python("summary", "import os; print('orders: 7'); print('role:', os.environ['HUB_ROLE'])"),
)
sys.exit(run.main(sys.argv[1:], plan))
"""


class Hub:
    """One state folder and the runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = processes.free_port()
        (folder / "page").mkdir()
        (folder / "page" / "livez").write_text("alive")

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        drop = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", processes.RUN_MARK}
        own = {"HUB_DIR": str(self.folder), "PORT": str(self.port), "PYTHONPATH": str(environment.ROOT)}
        return subprocess.Popen(
            [sys.executable, "-c", STAND_IN, *words],
            cwd=self.folder,
            env={**{name: value for name, value in os.environ.items() if name not in drop}, **own, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ends(self, run: subprocess.Popen[str]) -> tuple[int, str, str]:
        out, err = run.communicate(timeout=PATIENCE)
        return run.returncode, out, err

    def said(self, run: subprocess.Popen[str], word: str) -> str:
        assert run.stderr
        seen = ""
        while word not in seen:
            line = run.stderr.readline()
            assert line, f"ended without saying {word!r}:\n{seen}"
            seen += line
        return seen

    def left(self) -> list[str]:
        found = processes.on_folder("postgres", self.folder / "postgres" / "data")
        found += processes.on_folder("valkey-server", self.folder / "valkey" / "data")
        found += processes.marked(str(self.folder))
        names = []
        for process in found:
            with contextlib.suppress(processes.psutil.Error):
                names.append(f"{process.pid} {process.cmdline()}")
        return names

    def wait_until_empty(self) -> None:
        ends = time.monotonic() + PATIENCE
        while self.left():
            assert time.monotonic() < ends, self.left()
            time.sleep(0.1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    hub = Hub(tmp_path)
    yield hub
    left = hub.left()
    processes.stop_strangers(processes.marked(str(tmp_path)), ((signal.SIGKILL, 5.0),))
    assert left == []


def test_once_prints_the_figures_and_leaves_nothing(hub: Hub) -> None:
    code, out, err = hub.ends(hub.start("--once"))
    assert (code, out) == (0, "orders: 7\nrole: command\n"), err
    assert "a long step talks" in err
    assert "[worker] ERROR is shown" in err
    assert f"The hub answers at http://127.0.0.1:{hub.port}/" in err
    assert hub.left() == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ending_a_run_stops_every_child_in_order(hub: Hub, sign: signal.Signals) -> None:
    run = hub.start()
    hub.said(run, "Ctrl-C stops it all.")
    assert len(hub.left()) > 4
    run.send_signal(sign)
    assert hub.ends(run)[0] == 0
    assert hub.left() == []
    assert "database system is shut down" in (hub.folder / "logs" / "postgres.log").read_text()


def test_interrupting_a_long_step_stops_it_too(hub: Hub) -> None:
    run = hub.start(MIGRATE="import time; print('working', flush=True); time.sleep(600)")
    hub.said(run, "working")
    run.send_signal(signal.SIGINT)
    code, _, err = hub.ends(run)
    assert (code, hub.left()) == (1, [])
    assert "error: Interrupted (SIGINT) before the hub was up." in err


def test_a_failing_step_ends_the_run(hub: Hub) -> None:
    code, out, err = hub.ends(hub.start(MIGRATE="raise SystemExit('no such table')"))
    assert (code, out) == (1, "")
    assert "no such table" in err
    assert "error: migrate failed (exit 1), see above." in err
    assert hub.left() == []


def test_a_child_that_dies_during_a_step_ends_the_run_with_its_log(hub: Hub) -> None:
    code, out, err = hub.ends(
        hub.start(WORKER="raise ValueError('broken worker')", TRAFFIC="__import__('time').sleep(600)")
    )
    assert (code, out) == (1, "")
    assert "error: worker ended by itself (exit 1). The end of" in err
    assert "ValueError: broken worker" in err
    assert hub.left() == []


def test_a_taken_port_is_named_before_anything_starts(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", hub.port)):
        code, _, err = hub.ends(hub.start())
    assert code == 1
    assert re.search(rf"Port {hub.port} on 127.0.0.1 is taken by pid {os.getpid()} \(.*\)", err)
    assert f"PORT={hub.port + 1} make run" in err
    assert not (hub.folder / "postgres").exists()


def test_a_second_run_is_refused_and_a_killed_one_is_cleaned_up(hub: Hub) -> None:
    run = hub.start()
    hub.said(run, "Ctrl-C stops it all.")
    code, _, err = hub.ends(hub.start())
    assert code == 1
    assert f"runs already (process {run.pid}, http://127.0.0.1:{hub.port})" in err

    run.kill()
    assert hub.ends(run)[0] == -signal.SIGKILL
    code, out, err = hub.ends(hub.start("--once"))
    assert (code, out.splitlines()[0]) == (0, "orders: 7"), err
    hub.wait_until_empty()


@pytest.mark.django_db
def test_the_first_administrator_is_created_once_and_can_be_told_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "admin_password"
    call_command("ensure_admin", password_file=path)
    first = capsys.readouterr().out
    call_command("ensure_admin", password_file=path)
    password = path.read_text().strip()
    assert first == f"User      admin\n  Password  {password}\n" == capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o600
    admin = get_user_model().objects.get()
    assert (admin.is_superuser, admin.check_password(password)) == (True, True)


@pytest.mark.django_db
def test_a_password_that_was_changed_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "admin_password"
    call_command("ensure_admin", password_file=path)
    admin = get_user_model().objects.get()
    admin.set_password("another long password")
    admin.save()
    call_command("ensure_admin", password_file=path)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "  Password  the one you have set (forgotten: manage.py changepassword)"
    )
