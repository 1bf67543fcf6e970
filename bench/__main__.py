"""Run the benchmarks: ``python -m bench [NAME ...]``; all without a name. ``CTI_PROVE=1`` for full sizes."""

from __future__ import annotations

import importlib
import os
import sys

NAMES = (
    "ami_events",
    "advice",
    "held",
    "queue_optimum",
    "sockets",
    "handoff",
    "fields",
    "speech",
    "listening",
)
"""Each module has ``main(full: bool) -> None`` and prints its ratios and its baseline."""


def main(words: list[str]) -> int:
    unknown = [word for word in words if word not in NAMES]
    if unknown or words == ["--help"]:
        print(f"usage: python -m bench [{'|'.join(NAMES)}] …   (CTI_PROVE=1: full sizes)")
        return 2 if unknown else 0
    full = os.environ.get("CTI_PROVE") == "1"
    for name in words or NAMES:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main(full)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
