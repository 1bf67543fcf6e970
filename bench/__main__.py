"""Run the benchmarks: ``python -m bench [NAME ...]``; all without a name. ``CTI_PROVE=1`` for full sizes.

Exit codes: 0 all goals met, 1 one is missed, 2 wrong use, 3 something outside is missing and nothing missed.
"""

from __future__ import annotations

import importlib
import os
import sys

from bench.samples import Missing

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
"""Each module has ``main(full: bool) -> bool``: prints its ratios and its baseline; True: goals are met."""


def main(words: list[str]) -> int:
    unknown = [word for word in words if word not in NAMES]
    if unknown or words == ["--help"]:
        print(f"usage: python -m bench [{'|'.join(NAMES)}] …   (CTI_PROVE=1: full sizes)")
        return 2 if unknown else 0
    full = os.environ.get("CTI_PROVE") == "1"
    ends: dict[str, str] = {}
    for name in words or NAMES:
        print(f"== {name}", flush=True)
        try:
            ends[name] = "met" if importlib.import_module(f"bench.{name}").main(full) else "MISSED"
        except Missing as why:
            print(f"  not measured: {why}", flush=True)
            ends[name] = "not measured"
    print("== goals: " + ", ".join(f"{name} {end}" for name, end in ends.items()))
    return 1 if "MISSED" in ends.values() else 3 if "not measured" in ends.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
