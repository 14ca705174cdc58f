"""Workers to be killed: each line that comes in starts one, which delivers as if it were so many seconds later.

``python -m tests.channels.services.delivering`` loads everything once, says that it is ready, and forks; it answers
each line with the process id of a worker. A worker delivers over and over, and ends when this process does.
"""

import os
import signal
import sys
from datetime import timedelta

import django


def main() -> None:
    """Fork a worker for each line until there are no more lines."""
    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who were killed
    from django.utils import timezone  # noqa: PLC0415  # settings must be there first

    from channels.services import outbox  # noqa: PLC0415

    parent = os.getpid()
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        ahead = timedelta(seconds=int(line))
        worker = os.fork()
        if not worker:
            while os.getppid() == parent:
                outbox.deliver(limit=1000, at=timezone.now() + ahead)
            os._exit(0)
        print(worker, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
