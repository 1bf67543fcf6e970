"""What goes to a shelf, and what is believed of it: told with a folder as the shelf."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from cti import vault
from cti.errors import Broken, Refused
from cti.home import Home
from cti.ring import Ring
from cti.settings import BadSettings, Settings, read
from cti.shelf.chosen import Chosen, keys_of
from cti.shelf.copying import carried, fetched
from cti.shelf.folder import FolderShelf
from cti.shelf.port import Away
from cti.shelf.rewrapping import rewrapped
from cti.sounds import OnShelf
from tests.fakes.shelves import Fickle, Liar

NAME = "20260101/demo-n1-1.1/n1-1.1.wav.sealed"


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "ring.json")


@pytest.fixture
def folder(tmp_path: Path) -> FolderShelf:
    (tmp_path / "far").mkdir()
    return FolderShelf(tmp_path / "far", 5.0)


def sealed(ring: Ring, folder: Path, data: bytes) -> Path:
    plain = folder / "plain.wav"
    plain.write_bytes(data)
    vault.seal(ring, plain, folder / "one.wav.sealed", {"leg": "n1-1.1"})
    return folder / "one.wav.sealed"


async def test_a_sealed_file_goes_there_and_comes_back_the_same(
    ring: Ring, folder: FolderShelf, tmp_path: Path
) -> None:
    path = sealed(ring, tmp_path, secrets.token_bytes(200_000))
    await carried(folder, NAME, path)
    await fetched(folder, NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    assert (tmp_path / "back").stat().st_mode & 0o077 == 0


async def test_plain_sound_never_leaves_this_machine(folder: FolderShelf, tmp_path: Path) -> None:
    path = tmp_path / "one.wav.sealed"
    path.write_bytes(b"RIFF" + bytes(5000))
    with pytest.raises(Broken, match="not sealed"):
        await carried(folder, NAME, path)
    assert [one async for one in folder.every()] == []


async def test_a_shelf_that_gives_back_another_byte_is_not_believed(
    ring: Ring, folder: FolderShelf, tmp_path: Path
) -> None:
    path = sealed(ring, tmp_path, secrets.token_bytes(70_000))
    with pytest.raises(Broken, match="does not read back"):
        await carried(Liar(folder, {NAME}), NAME, path)
    assert [one async for one in folder.every()] == []


async def test_any_stretch_is_read_there_without_the_rest(
    ring: Ring, folder: FolderShelf, tmp_path: Path
) -> None:
    data = secrets.token_bytes(3 * vault.CHUNK + 17)
    await carried(folder, NAME, sealed(ring, tmp_path, data))
    seal = vault.Seal(ring, await folder.read(NAME, 0, vault.HEAD), NAME)
    sound = OnShelf(seal, folder, NAME)
    assert sound.size == len(data)
    ends = (0, 1, vault.CHUNK - 1, vault.CHUNK, vault.CHUNK + 1, 3 * vault.CHUNK, len(data) - 1, len(data))
    for begin in ends:
        for length in (0, 1, 44, vault.CHUNK, 2 * vault.CHUNK + 3, len(data)):
            assert await sound.read(begin, length) == data[begin : begin + length]
    begin, many = seal.stretch(vault.CHUNK + 5, 10)
    assert (begin, many) == (vault.HEAD + vault.CHUNK + vault.TAG, vault.CHUNK + vault.TAG)


async def test_one_changed_byte_on_the_shelf_does_not_open(
    ring: Ring, folder: FolderShelf, tmp_path: Path
) -> None:
    await carried(folder, NAME, sealed(ring, tmp_path, bytes(100_000)))
    seal = vault.Seal(ring, await folder.read(NAME, 0, vault.HEAD), NAME)
    with pytest.raises(Broken, match="were changed"):
        await OnShelf(seal, Liar(folder, {NAME}), NAME).read(50_000, 100)


@pytest.mark.parametrize("size", [0, 1, vault.CHUNK - 1, vault.CHUNK, vault.CHUNK + 1, 200_000])
def test_the_length_of_a_sealed_file_is_known_from_the_plain_one(
    ring: Ring, tmp_path: Path, size: int
) -> None:
    assert sealed(ring, tmp_path, bytes(size)).stat().st_size == vault.sealed_size(size)


async def test_a_rotation_wraps_what_is_on_the_shelf_and_may_be_stopped_and_gone_on_with(
    ring: Ring, folder: FolderShelf, tmp_path: Path
) -> None:
    data = secrets.token_bytes(90_000)
    names = [f"20260101/demo-n1-{n}.1/n1-{n}.1.wav.sealed" for n in (1, 2, 3)]
    for name in names:
        await carried(folder, name, sealed(ring, tmp_path, data))
    old, new = ring.newest, ring.rotate()
    fickle = Fickle(folder)

    def goes_away(looked: int) -> None:
        fickle.away = looked == 1

    with pytest.raises(Away):
        await rewrapped(ring, fickle, goes_away)
    by = [vault.wrapped_with(await folder.read(name, 0, vault.HEAD), name) for name in names]
    assert sorted(by) == sorted([new, old, old])
    fickle.away = False
    assert await rewrapped(ring, fickle) == 2
    for name in names:
        head = await folder.read(name, 0, vault.HEAD)
        assert vault.wrapped_with(head, name) == new
        assert await OnShelf(vault.Seal(ring, head, name), folder, name).read(0, len(data)) == data
    assert await rewrapped(ring, folder) == 0


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('recording_shelf = "hotline"', "neither s3://BUCKET/PREFIX nor file:///FOLDER"),
        ('recording_shelf = "s3://Hotline"', "neither"),
        ('recording_shelf = "s3://hotline"\nrecording_shelf_endpoint = "minio:9000"', "https://"),
        ('recording_shelf = "s3://hotline"\nrecording_seal_after_seconds = -1', "sealed recordings only"),
        ("recording_shelf_seconds = 0", "greater than or equal to 1"),
        ('advice_others = "127.0.0.1"', "advice_others: '127.0.0.1' is no HOST:PORT"),
        ('advice_others = "127.0.0.1:70000"', "no HOST:PORT"),
        ('advice_others = "${SHELL(id)}:4573"', "no HOST:PORT"),
        ('advice_others = "a:1 b:2 c:3 d:4 e:5"', "at most 4"),
    ],
)
def test_a_wrong_setting_is_told_with_its_name(tmp_path: Path, told: str, said: str) -> None:
    (tmp_path / "settings.toml").write_text(told + "\n")
    with pytest.raises(BadSettings, match=said):
        read(Home(tmp_path))


def test_keys_that_are_missing_open_to_others_or_of_another_form_are_refused_with_the_remedy(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(Refused, match="there is no"):
        keys_of(path)
    path.write_text('{"access_key": "a", "secret_key": "b"}')
    path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        keys_of(path)
    path.chmod(0o600)
    assert keys_of(path).secret_key == "b"
    path.write_text('["a", "b"]')
    with pytest.raises(Refused, match="not of the form"):
        keys_of(path)


def test_without_its_package_a_bucket_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys" / "shelf.json"
    path.parent.mkdir()
    path.write_text('{"access_key": "a", "secret_key": "b"}')
    path.chmod(0o600)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(Refused, match=r"setup/python\.sh"):
        Chosen(Home(tmp_path), Settings(recording_shelf="s3://hotline/x"))()


def test_without_a_shelf_a_recording_that_lies_on_one_says_what_to_set(tmp_path: Path) -> None:
    chosen = Chosen(Home(tmp_path), Settings())
    assert not chosen.there
    with pytest.raises(Refused, match="recording_shelf"):
        chosen()
