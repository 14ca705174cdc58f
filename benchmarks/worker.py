"""A process under measurement: ``python -m benchmarks.worker ENTRY …``; the parent gives the start.

Its CPU is then its own alone. Entries are functions ``prepare(*words)`` of the parts' modules that return what is to
be measured.
"""

import importlib
import json
import sys
import time

import django
import psutil


def main(module: str, entry: str, *words: str) -> None:
    """Prepare, say so, wait for the start, run, and tell what it cost."""
    django.setup()
    measured = getattr(importlib.import_module(f"benchmarks.{module}"), entry)(*words)
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    result = measured()
    told = {
        "result": result,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "rss_mb": psutil.Process().memory_info().rss / 1024**2,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
