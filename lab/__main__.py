"""`python -m lab up --home DIR`: the lab as a process, as the supervisor starts it.

`python -m lab voices --models DIR`: speak what the lab's people say.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from cti.asterisk_process import Missing
from cti.home import Home
from lab.city import per_second
from lab.up import run
from lab.voices import make


def main() -> int:
    """Exit code 0 after SIGTERM, 2 for wrong use, 3 when there is no Asterisk."""
    parser = argparse.ArgumentParser(prog="python -m lab")
    orders = parser.add_subparsers(dest="order", required=True)
    up = orders.add_parser("up", help="play the city until SIGTERM")
    up.add_argument("--home", type=Path, required=True)
    up.add_argument("--city-rate", default="", help="calls the city makes by itself, like 2/min")
    up.add_argument("--seed", type=int, default=None, help="the same city again")
    voices = orders.add_parser("voices", help="speak lab/voices/voices.toml anew")
    voices.add_argument("--models", type=Path, required=True, help="folder of the voice's model")
    told = parser.parse_args()
    if told.order == "voices":
        for path in make(told.models):
            print(path)
        return 0
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if told.city_rate:
            per_second(told.city_rate)
        asyncio.run(run(Home(told.home.resolve()), told.city_rate, told.seed))
    except ValueError as why:
        parser.error(str(why))
    except Missing as why:
        print(why, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
