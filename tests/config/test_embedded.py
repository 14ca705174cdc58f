"""The embedded services, with real servers on a folder of the test."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import accounts, environment, processes
from config.embedded.errors import EmbeddedError
from config.embedded.leases import Lock

PATIENCE = 30.0
HOLD = """
import sys
from config.embedded import environment
import os
with environment.services_for(["shell"]):
    print(os.environ["DATABASE_URL"], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own; no server may be left on it."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", processes.RUN_MARK):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(environment.ROOT))
    yield tmp_path
    left = servers_on(tmp_path)
    processes.stop_strangers(left, ((signal.SIGKILL, 5.0),))
    assert left == []


def servers_on(hub: Path) -> list[psutil.Process]:
    found = processes.on_folder("postgres", hub / "postgres" / "data")
    return found + processes.on_folder("valkey-server", hub / "valkey" / "data")


def python(code: str, *, cwd: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


def wait_until_gone(hub: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while servers_on(hub):
        assert time.monotonic() < ends, servers_on(hub)
        time.sleep(0.1)


def test_what_was_stored_is_there_after_a_second_start(hub: Path) -> None:
    with environment.services_for(["shell"]), psycopg.connect(os.environ["DATABASE_URL"]) as link:
        link.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
            broker.set("kept", "42")
    assert servers_on(hub) == []

    with environment.services_for(["shell"]), psycopg.connect(os.environ["DATABASE_URL"]) as link:
        assert link.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert link.execute("SHOW fsync").fetchone() == ("on",)
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as broker:
            assert broker.get("kept") == b"42"
    assert not {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} & set(os.environ)


def test_search_knows_letters_beyond_ascii(hub: Path) -> None:
    with environment.services_for(["shell"]), psycopg.connect(os.environ["DATABASE_URL"]) as link:
        link.execute("CREATE EXTENSION pg_trgm")
        assert link.execute("SELECT cardinality(show_trgm('中文')), upper('ü')").fetchone() == (3, "Ü")


def test_secrets_are_readable_by_their_owner_only(hub: Path) -> None:
    with environment.services_for(["shell"]):
        files = ["secret_key", "postgres/password", "postgres/url", "valkey/url", "valkey/data/valkey.conf"]
        assert {name: (hub / name).stat().st_mode & 0o077 for name in files} == dict.fromkeys(files, 0)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(os.environ["DATABASE_URL"].replace("orderhub:", "orderhub:wrong"))
        host = os.environ["REDIS_URL"].split("@")[1]
        with redis.Redis.from_url(f"redis://{host}") as broker, pytest.raises(redis.AuthenticationError):
            broker.ping()


def test_a_second_command_joins_and_the_first_waits_for_it(hub: Path) -> None:
    with python(HOLD) as first:
        assert first.stdout
        address = first.stdout.readline()
        with python(HOLD) as second:
            assert second.stdout
            assert second.stdout.readline() == address
            assert first.stdin
            first.stdin.write("\n")
            first.stdin.flush()
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(0.5)
            psycopg.connect(address.strip()).close()
            _, said = second.communicate("\n", timeout=PATIENCE)
        assert (first.wait(PATIENCE), second.returncode, said) == (0, 0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_command_leaves_no_server(hub: Path) -> None:
    with python(HOLD) as command:
        assert command.stdout
        assert command.stdout.readline()
        assert len(servers_on(hub)) > 1
        command.kill()
    wait_until_gone(hub)


def test_servers_left_by_a_killed_command_are_stopped_and_named(hub: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with python(f"from config.embedded import processes\nprocesses._libc = None\n{HOLD}") as command:
        assert command.stdout
        address = command.stdout.readline().strip()
        command.kill()
    psycopg.connect(address).close()

    with environment.services_for(["shell"]):
        psycopg.connect(os.environ["DATABASE_URL"]).close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)
    said = capfd.readouterr().err
    assert "PostgreSQL (pid " in said
    assert "Valkey (pid " in said
    assert f"was left over on {hub / 'postgres' / 'data'} by a run that was killed: stopping it." in said


def test_a_pid_file_that_names_another_program_is_no_obstacle(hub: Path) -> None:
    with environment.services_for(["shell"]):
        pass
    stale = hub / "postgres" / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n1\n1\n\n127.0.0.1\n0 0\nready   \n")
    with environment.services_for(["shell"]):
        psycopg.connect(os.environ["DATABASE_URL"]).close()


def test_a_server_that_cannot_start_shows_its_log_and_leaves_nothing(
    hub: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with environment.services_for(["shell"]):
        pass
    (hub / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(SystemExit), environment.services_for(["shell"]):
        pass
    said = capfd.readouterr().err
    assert "error: PostgreSQL did not start (exit 1)" in said
    assert "incompatible" in said
    assert Lock(hub / "postgres" / "owner").try_exclusive()


@pytest.mark.parametrize(
    ("argv", "needed"),
    [
        pytest.param([], False, id="no command"),
        pytest.param(["check"], False, id="check"),
        pytest.param(["makemigrations", "--check"], False, id="makemigrations"),
        pytest.param(["migrate", "--help"], False, id="help of a command"),
        pytest.param(["migrate"], True, id="migrate"),
        pytest.param(["demo_load", "--if-empty"], True, id="demo"),
    ],
)
def test_only_commands_that_need_data_start_services(argv: list[str], *, needed: bool) -> None:
    assert environment.needs_services(argv) is needed


def test_addresses_of_the_environment_are_used_as_they_are(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/x")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with environment.services_for(["migrate"]):
        assert os.environ["DATABASE_URL"] == "postgres://elsewhere/x"
    assert list(hub.iterdir()) == []


def test_manage_works_from_another_folder(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = subprocess.run(
        [sys.executable, environment.ROOT / "manage.py", "showmigrations", "contenttypes"],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "[ ] 0001_initial" in done.stdout, done.stderr
    assert (hub / "postgres" / "data" / "PG_VERSION").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_root_lends_the_database_an_account_and_opens_only_the_way(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = hub / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HUB_DIR", str(home / "state"))
    with environment.services_for(["shell"]):
        found = processes.on_folder("postgres", home / "state" / "postgres" / "data")
        assert {process.username() for process in found} == {accounts.UNPRIVILEGED}
    assert f"Opened {home} for passing through (chmod o+x)" in capfd.readouterr().err
    assert home.stat().st_mode & 0o777 == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as a plain user already")
def test_a_plain_user_runs_it_as_oneself(hub: Path) -> None:
    plain = pwd.getpwnam(accounts.UNPRIVILEGED)
    os.chown(hub, plain.pw_uid, plain.pw_gid)
    interpreter = next((path for path in (os.path.realpath(sys.executable), "/usr/bin/python3") if _open(path)), None)
    if interpreter is None or not _open(str(environment.ROOT)):
        pytest.skip("neither Python nor the source can be read by a plain user here")
    done = subprocess.run(
        [interpreter, "-c", HOLD],
        input="\n",
        env={"HUB_DIR": str(hub), "PYTHONPATH": os.pathsep.join(["", str(environment.ROOT), *sys.path])},
        cwd="/",
        user=plain.pw_uid,
        group=plain.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (hub / "postgres" / "data").stat().st_uid == plain.pw_uid


def _open(path: str) -> bool:
    """Tell whether everybody may walk down to the path and read it."""
    place = Path(path)
    return place.exists() and all(folder.stat().st_mode & 0o005 == 0o005 for folder in (place, *place.parents))


def test_somebody_elses_folder_is_refused_with_advice(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(EmbeddedError, match=r"belongs to another user .* HUB_DIR="):
        accounts.account_for(hub)
