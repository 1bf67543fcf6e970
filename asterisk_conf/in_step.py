"""What keeps a leg's recording in step when the leg goes from one talk to the next.

While a leg sends no voice (a key is pressed, a phone leaves out silence) MixMonitor writes silence by the
clock of what the leg is told meanwhile. It reads that through a translation path, which lives as long as the
leg is recorded and, as Debian builds Asterisk (2016_opus_plc.patch), leaves out what has a lower RTP number
than the last talk's frames. A room's A-law has number 0: as soon as the leg is silent in it nothing is read,
nothing filled, and all that is said later stands too early in the file (decision 14). A path is made anew
when the format changes, so the leg is told a moment of silence, first in one that is wider than A-law.
"""

from __future__ import annotations

from asterisk_conf.steps import Context

_WIDE, _NARROW = "hotline/in-step-wide", "hotline/in-step"
SILENCES = {f"{_WIDE}.sln16": bytes(2 * 320), f"{_NARROW}.sln": bytes(2 * 160)}
"""Sounds below ``sounds/zh``: 20 ms at 16 kHz, then at 8 kHz."""


def in_step(context: Context, label: str = "") -> None:
    """On a leg between two talks. No Gosub: it may be led away meanwhile, and Return() would undo that."""
    context.do("ExecIf", f'$["${{RECORDING}}" != ""]?Playback({_WIDE}&{_NARROW})', label=label)
