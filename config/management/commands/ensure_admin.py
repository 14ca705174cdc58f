"""The first administrator, so that a fresh hub can be entered."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser

USERNAME = "admin"


class Command(BaseCommand):
    """Create `admin` with a random password if nobody may administer yet, and say how to log in."""

    help = "Creates the first administrator with a random password; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file is how a second start can still tell the password of the first."""
        parser.add_argument("--password-file", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file before the account: a password nobody knows would lock everybody out."""
        path: Path = options["password_file"]
        users = get_user_model()._default_manager
        if not users.filter(is_superuser=True).exists():
            password = secrets.token_urlsafe(15)
            _write(path, password)
            get_user_model().objects.create_superuser(USERNAME, "", password)
        self.stdout.write(f"User      {USERNAME}\n  Password  {_known_password(path)}")


def _write(path: Path, password: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{password}\n")


def _known_password(path: Path) -> str:
    """Tell the password only while it is still the right one."""
    password = path.read_text().strip() if path.exists() else ""
    admin = get_user_model()._default_manager.filter(username=USERNAME).first()
    if admin is not None and password and admin.check_password(password):
        return password
    return "the one you have set (forgotten: manage.py changepassword)"
