"""The keys by which an agent keeps what is said out of the recordings: payment data, a name in need."""

from __future__ import annotations

MASK_KEYS = {"mask": "*91", "unmask": "*90"}
"""What an agent keys in a call: what is said now stays out of the recordings, or goes in again."""


def mask_features() -> list[str]:
    """Lines of features.conf's application map."""
    return [
        f"{name} => {key},self,Gosub(recording-mask,s,1({'on' if name == 'mask' else 'off'}))\n"
        for name, key in MASK_KEYS.items()
    ]
