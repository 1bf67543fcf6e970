"""Which shelf the settings name, and the file with the keys of a bucket."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from cti.errors import Refused
from cti.home import Home
from cti.settings import Settings
from cti.shelf.bucket import Bucket, Keys
from cti.shelf.folder import FolderShelf
from cti.shelf.port import Shelf


class Chosen:
    """The shelf of this home. Made when it is first needed: keys that come later are found then."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home, self._settings = home, settings
        self._made: Shelf | None = None

    @property
    def there(self) -> bool:
        """Whether one is configured."""
        return bool(self._settings.recording_shelf)

    def __call__(self) -> Shelf:
        """Raises Refused naming the remedy."""
        if self._made is None:
            self._made = _made(self._home, self._settings)
        return self._made

    def again(self) -> None:
        """Read keys anew next time: somebody may have mended them."""
        self._made = None


def keys_file(home: Home, settings: Settings) -> Path:
    told = settings.recording_shelf_keys
    return Path(told) if told else home.root / "keys" / "shelf.json"


def keys_of(path: Path) -> Keys:
    """Raises Refused: not there, not ours alone, not of that form."""
    form = '{"access_key": "…", "secret_key": "…"}'
    try:
        mode = path.stat().st_mode
        told = json.loads(path.read_text(encoding="utf-8"))
        keys = Keys(
            str(told["access_key"]), str(told["secret_key"]), str(told.get("session_token") or "")
        )  # fmt: skip
    except FileNotFoundError:
        raise Refused(f"没有密钥文件 there is no {path}: write {form} into it, mode 0600") from None
    except OSError as why:
        raise Refused(f"{path}: {why.strerror}: let the service's user read it") from why
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise Refused(f"{path}: not of the form {form}") from why
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(f"{path} 可被他人读取 may be read by others: chmod 600 {path}")
    return keys


def _made(home: Home, settings: Settings) -> Shelf:
    scheme, _, rest = settings.recording_shelf.partition("://")
    seconds = settings.recording_shelf_seconds
    if scheme == "file":
        return FolderShelf(Path(rest), seconds)
    if scheme == "s3":
        bucket, _, prefix = rest.partition("/")
        return Bucket(
            bucket,
            prefix.strip("/"),
            keys_of(keys_file(home, settings)),
            endpoint=settings.recording_shelf_endpoint.rstrip("/"),
            region=settings.recording_shelf_region,
            hosted=settings.recording_shelf_hosted,
            seconds=seconds,
        )
    raise Refused(
        "没有配置存储 no shelf is configured, and recordings lie on one: "
        "set `recording_shelf` in settings.toml"
    )
