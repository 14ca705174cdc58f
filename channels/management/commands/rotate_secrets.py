"""Seal all stored credentials under the first of HUB_SECRET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels.services import credentials


class Command(BaseCommand):
    """Run it after a new key was put first; the old key can go when it says that nothing is left."""

    help = "Seal all stored credentials under the first key of HUB_SECRET_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and say how many; fails when some credentials could not be opened."""
        changed, unreadable = credentials.rotate()
        self.stdout.write(f"{changed} channels sealed under the first key.")
        if unreadable:
            raise CommandError(f"No key opens the credentials of {', '.join(unreadable)}: bring their key back.")
