"""The ports of an instance: its own hundred, and a block for sound that takes none of them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.home import Home, Ports
from cti.settings import BadSettings, Settings, read
from tests.house import api_port


@given(st.integers(1024, 65435))
def test_sound_takes_no_port_of_its_own_instance(base: int) -> None:
    ports = Ports(base)
    for low, high in (ports.rtp, ports.lab_rtp):
        assert high < base or low > base + 99
        assert 20000 <= low < high < 65536


def test_sound_that_is_set_is_what_is_told() -> None:
    assert Settings(rtp="30000-30999").rtp_range((1, 2)) == (30000, 30999)
    assert Settings().rtp_range((1, 2)) == (1, 2)


@pytest.mark.parametrize("told", ["30000", "abc-def", "30999-30000", "10-20", "60000-70000"])
def test_sound_that_is_no_range_is_refused_by_name(tmp_path: Path, told: str) -> None:
    home = Home(tmp_path)
    home.settings_file.write_text(f'rtp = "{told}"\n')
    with pytest.raises(BadSettings, match=r"rtp.*START-END"):
        read(home)


def test_of_ports_told_by_hand_too_none_is_given_to_two_or_where_somebody_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # above the kernel's ephemeral ports: nobody's
    monkeypatch.setenv("CTI_TEST_BASE", "61000")
    with api_port() as one, api_port() as other:
        assert one != other
    with api_port() as free:
        pass
    with socket.create_server(("127.0.0.1", free)), api_port() as other:
        assert other != free
