"""Centres and contacts of a plan: each mistake is told with its place."""

from __future__ import annotations

import pytest

from tests.story.plan_files import checked, demo_files


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("centres.toml", 'trunk = "centres-b", number = "12333"', 'trunk = "centre-b", number = "12333"',
         "no such trunk 'centre-b'"),
        ("centres.toml", 'queue = "expert"', 'queue = "experts"', "no such queue 'experts'"),
        ("centres.toml", 'numbers = ["119"]', 'numbers = ["110"]', "110 is the number of centre '110' too"),
        ("contacts.toml", "[7001]", "[1001]", "is a seat already"),
        ("contacts.toml", "[7001]", "[duty]", "is not what an agent can dial"),
        ("trunks.toml", "reserved = 10 ", "reserved = 240 ", "leaves nothing to callers"),
        ("trunks.toml", 'out = "192.0.2.20"\nchannels = 30\nlab = true', "channels = 30", "has no way out"),
    ],
)  # fmt: skip
def test_a_plan_that_reaches_nobody_is_refused(file: str, old: str, new: str, told: str) -> None:
    files = demo_files()
    text = files[file].decode()
    assert old in text
    faults = checked({**files, file: text.replace(old, new, 1).encode()}).faults
    assert any(told in str(fault) for fault in faults), [str(f) for f in faults]
