"""``manage.py push_stock``: put the stock figure of every listing of a channel into the outbox once more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from channels.models import Channel
from channels.services import stock_dues, stock_push


class Command(BaseCommand):
    """Send all figures of a channel again, behind whatever changes meanwhile."""

    help = "Send the stock figures of all listings of a channel again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for the channel, and for the word that says that all of it is meant."""
        parser.add_argument("--channel", required=True, help="The channel's code.")
        parser.add_argument("--all", action="store_true", required=True, help="All its listings.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Push, and say how many figures wait in the outbox now."""
        channel = Channel.objects.filter(code=options["channel"]).first()
        if channel is None:
            raise CommandError(f"There is no channel {options['channel']}.")
        if not stock_dues.shops_told([channel.pk]).channels:
            raise CommandError(
                f"{channel.code} is not told stock: inactive, a sandbox, or its platform takes no figures."
            )
        told = stock_push.push_all(channel, at=timezone.now())
        self.stdout.write(f"{told.figures} figures in the outbox, {told.unknown} listings of unknown stock left out.")
