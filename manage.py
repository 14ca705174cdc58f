#!/usr/bin/env python
"""The project's command line: Django's own commands and the hub's."""

import os
import sys

from config.embedded import environment


def main() -> None:
    """Run one command, with the embedded services up when no URL names others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings need the URLs first

    with environment.services_for(sys.argv[1:]):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
