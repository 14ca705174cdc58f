"""Whom the servers run as: PostgreSQL refuses root, so root lends it an account that owns nothing else."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedError, say

UNPRIVILEGED = "nobody"  # exists on every Unix, nothing has to be created


@dataclass(frozen=True)
class Account:
    """The user a server is started as."""

    name: str
    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """Return None to run as oneself; root gets the folder's owner when that is somebody else, or nobody."""
    if os.geteuid() != 0:
        _refuse_foreign(folder)
        return None
    owner = folder.stat().st_uid if folder.exists() else 0
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED)
    except KeyError as missing:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root and there is no other account to run it ({missing}). "
            "Run as a plain user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from missing
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _refuse_foreign(folder: Path) -> None:
    """Say whose data this is instead of failing later on a permission."""
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            f"{folder} belongs to another user (uid {folder.stat().st_uid}): the hub ran as that user or as root "
            "before. Run as the same user again, or take a folder of your own: HUB_DIR=~/hub make run"
        )


def open_parents(path: Path, account: Account | None) -> None:
    """Let the account walk down to the path: only the execute bit, only where it is missing, and said aloud."""
    if account is None:
        return
    for folder in reversed(path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH and folder.stat().st_uid != account.uid:
            _chmod(folder, mode | stat.S_IXOTH)
            say(f"Opened {folder} for passing through (chmod o+x): {account.name} runs the database below it.")


def open_package(package: Path, account: Account | None) -> None:
    """Make an installed package readable when it came with a strict umask; it holds no secrets."""
    if account is None or package.stat().st_mode & stat.S_IROTH:
        return
    for path in [*package.rglob("*"), package]:  # itself last: it is the sign that all was done
        if not path.is_symlink():
            mode = path.stat().st_mode
            _chmod(path, mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    say(f"Made {package} readable (chmod o+rX): {account.name} runs the database out of it.")


def _chmod(path: Path, mode: int) -> None:
    try:
        path.chmod(stat.S_IMODE(mode))
    except OSError as error:
        raise EmbeddedError(
            f"{path} cannot be opened for the account that runs the database ({error}). Run as a plain user, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error
