"""The stages of a transfer, as the dialplan writes them into queue_log: ``HOTLINETRANSFER`` lines -> facts.

``<step>/<id>/<moment>/<Name>=<value>/...``, the names those of the UserEvent that tells the same at once
(``asterisk_conf.transfer_state.tell``); the moment in seconds since the epoch, to the millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calls.facts import CallId, TransferStepped

STAGE = "HOTLINETRANSFER"
NAMES = ("Kind", "To", "Seat", "By", "Way", "Trunk", "Number", "Caller", "Agent", "Wished")
"""What a step may tell, besides its id, its name, its cause and whether it is urgent."""


def stages(call: CallId, node: str, lines: Sequence[Sequence[str]]) -> Iterator[TransferStepped]:
    """Of one call, in the order in which they happened. ``lines``: its lines of queue_log, split at the bars;
    one that is cut off says nothing."""
    found = [step for words in lines if (step := _read(call, node, words)) is not None]
    yield from sorted(found, key=lambda step: step.at)


def _read(call: CallId, node: str, words: Sequence[str]) -> TransferStepped | None:
    if len(words) < 6 or words[4] != STAGE:
        return None
    step, id, moment, *rest = [*words[5].split("/"), "", ""]
    try:
        at = float(moment)
    except ValueError:
        return None
    if not id:
        return None
    told = dict(part.partition("=")[::2] for part in rest)
    return TransferStepped(
        at=at, node=node, call=call, id=id, step=step, why=told.get("Cause", ""),
        urgent=told.get("Urgent") == "1", **{name.lower(): told.get(name, "") for name in NAMES},
    )  # fmt: skip
