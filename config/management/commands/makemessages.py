"""Collecting the texts to be translated: Django's own command, which also knows our `say("…")`."""

from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

OURS = ("--keyword=say",)
NOT_FOR_PEOPLE_AT_THE_DESK = [
    ".venv/*", "tests/*", "staticfiles/*", "benchmarks/*", ".hub/*",
    "config/run.py", "config/embedded/*", "config/management/*",
]  # fmt: skip


class Command(makemessages.Command):
    """Collect texts from Python and templates; `say` marks sentences that are stored and translated when shown."""

    xgettext_options = [*makemessages.Command.xgettext_options, *OURS]

    def add_arguments(self, parser: CommandParser) -> None:
        """Leave out what is not ours by default."""
        super().add_arguments(parser)
        parser.set_defaults(
            locale=["zh_Hans"],
            ignore_patterns=NOT_FOR_PEOPLE_AT_THE_DESK,
            no_wrap=True,
            add_location="file",
            no_obsolete=True,
        )
