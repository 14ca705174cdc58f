"""What can go wrong with the embedded services, said so that a person knows what to do next."""

import sys


class EmbeddedError(Exception):
    """A service could not be started, found or stopped; the text says why and what helps."""


def say(line: str) -> None:
    """Tell the person at the terminal; standard output stays free for the command's own answer."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
