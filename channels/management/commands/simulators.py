"""``manage.py simulators``: outside systems on loopback, until stopped."""

import importlib
import json
import os
import signal
import threading
from contextlib import ExitStack
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.simulators.house import House
from channels.simulators.server import Faults, LoopbackServer, UnknownFault

HOUSE: Final = "house"
PLATFORMS: Final = (
    "taobao",
    HOUSE,
    "douyin",
    "jd",
    "pinduoduo",
    "qimen",
    "shopify",
    "square",
    "wechat_shop",
    "weimob",
    "youzan",
    "aftership",
    "im",
    "kingdee",
    "kuaidi100",
    "mail",
    "sf",
    "sms",
    "yonyou",
    "yonyou_u8",
    "webhook",
)
PORTS: Final = {name: 8701 + place for place, name in enumerate(PLATFORMS)}


class Command(BaseCommand):
    """Serve the simulators of all platforms and the house sink."""

    help = "Play the outside systems on loopback until SIGINT or SIGTERM: " + ", ".join(PLATFORMS) + "."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer names, ports, secrets and faults."""
        parser.add_argument("--only", default="", help="Names with commas between them; without it, all of them.")
        for name, usual in PORTS.items():
            port = int(os.environ.get(f"{name.upper()}_SIM_PORT") or usual)
            parser.add_argument(f"--{name.replace('_', '-')}-port", type=int, default=port, help=f"Usually {usual}.")
        parser.add_argument("--house-secret", default="house-secret")
        parser.add_argument("--calls-per-second", type=int, help="Refuse faster callers, where a platform counts so.")
        parser.add_argument("--faults", default="", help="Chances, like slow=0.1,http500=0.05,cut=0.01")
        parser.add_argument("--seed", type=int, default=0, help="Seed of the faults.")
        parser.add_argument("--show-credentials", action="store_true", help="Say what a channel has to be given, too.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start them, say where they are, and wait."""
        names = _chosen(options["only"])
        try:
            faults = Faults.parse(options["faults"], seed=options["seed"])
        except UnknownFault as error:
            raise CommandError(str(error)) from error
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with ExitStack() as servers:
            for name in names:
                simulator = _simulator(name, faults, options)
                server = servers.enter_context(_listen(simulator, name, port=options[f"{name}_port"]))
                self.stdout.write(f"{name}: {server.url}{simulator.path}")
                if options["show_credentials"]:
                    told = {"credentials": simulator.credentials, "options": simulator.options}
                    self.stdout.write(json.dumps(told, ensure_ascii=False))
            self.stdout.flush()
            stopped.wait()
        self.stdout.write("stopped")


def _chosen(only: str) -> list[str]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in PLATFORMS]
    if unknown:
        raise CommandError(f"{', '.join(unknown)}: known are {', '.join(PLATFORMS)}.")
    return names or list(PLATFORMS)


def _simulator(name: str, faults: Faults, options: dict[str, Any]) -> Any:
    """Return a simulator; a platform that is not played is not even loaded."""
    if name == HOUSE:
        return House(secret=options["house_secret"], faults=faults)
    platform = importlib.import_module(f"channels.simulators.{name}").Platform(faults=faults)
    if hasattr(platform, "calls_per_second"):
        platform.calls_per_second = options["calls_per_second"]
    return platform


def _listen(simulator: Any, name: str, *, port: int) -> LoopbackServer:
    try:
        server: LoopbackServer = simulator.serve(port=port)
    except OSError as error:
        raise CommandError(f"Port {port} of {name} is taken ({error.strerror}): choose another one.") from error
    return server
