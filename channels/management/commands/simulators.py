"""``manage.py simulators``: the outside systems of the demo, on loopback, until stopped."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.simulators.house import House
from channels.simulators.server import Faults, LoopbackServer, Request, Response, UnknownFault
from channels.simulators.taobao import Platform


class Command(BaseCommand):
    """Serve the Taobao simulator and the house sink."""

    help = "Play Taobao and a partner that takes house-language deliveries, on loopback, until SIGINT or SIGTERM."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer ports, secrets and faults."""
        parser.add_argument("--taobao-port", type=int, default=int(os.environ.get("TAOBAO_SIM_PORT") or 8701))
        parser.add_argument("--house-port", type=int, default=int(os.environ.get("HOUSE_SIM_PORT") or 8702))
        parser.add_argument("--house-secret", default="house-secret")
        parser.add_argument("--calls-per-second", type=int, help="Answer faster callers with code 7.")
        parser.add_argument("--faults", default="", help="Chances, like slow=0.1,http500=0.05,cut=0.01")
        parser.add_argument("--seed", type=int, default=0, help="Seed of the faults.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start both, say where they are, and wait."""
        try:
            faults = Faults.parse(options["faults"], seed=options["seed"])
        except UnknownFault as error:
            raise CommandError(str(error)) from error
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        platform = Platform(calls_per_second=options["calls_per_second"], faults=faults)
        house = House(secret=options["house_secret"])
        with ExitStack() as servers:
            taobao = servers.enter_context(_listen(platform.answer, port=options["taobao_port"], faults=faults))
            sink = servers.enter_context(_listen(house.answer, port=options["house_port"], faults=faults))
            self.stdout.write(f"taobao: {taobao.url}/router/rest")
            self.stdout.write(f"house: {sink.url}/deliveries/")
            self.stdout.flush()
            stopped.wait()
        self.stdout.write("stopped")


def _listen(answer: Callable[[Request], Response], *, port: int, faults: Faults) -> LoopbackServer:
    try:
        return LoopbackServer(answer, port=port, faults=faults)
    except OSError as error:
        raise CommandError(f"Port {port} is taken ({error.strerror}): choose another one.") from error
