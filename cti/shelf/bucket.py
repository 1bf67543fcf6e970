"""A shelf that is a bucket of an S3-compatible store, through obstore (Rust's object_store).

Blocking calls in threads of ours, not obstore's own coroutines: with obstore 0.12.1 a process that ends right
after a coroutine of it failed was aborted in 5 of 32 runs, with the blocking calls in 0 of 40
(docs/decisions/0013-a-shelf-for-recordings.md).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cti.errors import Refused
from cti.shelf.port import Absent, Away, Standing, Threads

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

PART = 5 << 20
"""Bytes of a part of a long file: the smallest that S3 takes."""
PARTS_AT_ONCE = 2
PAGE = 1000
CONNECT = 5.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What a bucket is opened with; read from a file, never from the database."""

    access_key: str
    secret_key: str
    session_token: str = ""


class Bucket:
    """``seconds``: the longest that one request may take."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        keys: Keys,
        *,
        endpoint: str,
        region: str,
        hosted: bool,
        seconds: float,
    ) -> None:
        """``endpoint``: the store's address, empty for Amazon's own; ``hosted``: the bucket's name is part of
        the host's (Aliyun OSS, Tencent COS). Raises Refused."""
        try:
            import obstore
            from obstore.exceptions import PermissionDeniedError, UnauthenticatedError
            from obstore.store import S3Store
        except ImportError as why:
            raise Refused(
                f"缺少 obstore: a bucket needs the package obstore: setup/python.sh ({why})"
            ) from why
        self.where = f"s3://{bucket}/{prefix}".rstrip("/")
        self._library: Any = obstore
        self._denied = (PermissionDeniedError, UnauthenticatedError)
        self._threads = Threads(self.where, seconds)
        if endpoint and hosted:
            scheme, _, host = endpoint.partition("://")
            endpoint = f"{scheme}://{bucket}.{host}"
        told: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        if keys.session_token:
            told["session_token"] = keys.session_token
        try:
            self._store: S3Store = S3Store(
                bucket,
                prefix=prefix or None,
                region=region,
                access_key_id=keys.access_key,
                secret_access_key=keys.secret_key,
                virtual_hosted_style_request=hosted,
                client_options={
                    "allow_http": endpoint.startswith("http://"),
                    "timeout": timedelta(seconds=seconds),
                    "connect_timeout": timedelta(seconds=min(CONNECT, seconds)),
                },
                # whoever asks us asks again; once more here is for a connection that had grown old
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=seconds)},
                **told,
            )
        except Exception as why:  # obstore raises a class of its own for each wrong setting
            raise Refused(f"{self.where}: {_short(why)}: mend recording_shelf in settings.toml") from why

    async def put(self, name: str, file: Path) -> None:
        size = (await asyncio.to_thread(file.stat)).st_size
        within = (self._threads.seconds + CONNECT) * (2 + size / PART)

        def send() -> None:
            self._library.put(
                self._store, name, file, chunk_size=PART, max_concurrency=PARTS_AT_ONCE
            )  # fmt: skip

        await self._do(send, within=within, absent=Refused)

    async def size(self, name: str) -> int:
        return int((await self._do(lambda: self._library.head(self._store, name)))["size"])

    async def read(self, name: str, offset: int, length: int) -> bytes:
        if not length:
            return b""
        told = await self._do(
            lambda: bytes(self._library.get_range(self._store, name, start=offset, length=length))
        )
        if len(told) != length:
            raise Away(f"{self.where}: {name} 比应有的短 is shorter than it should be")
        return told

    async def remove(self, name: str) -> None:
        # a name that is not there is no error for S3: not found is the bucket
        await self._do(lambda: self._library.delete(self._store, name), absent=Refused)

    async def every(self) -> AsyncIterator[Standing]:
        pages = iter(self._library.list(self._store, chunk_size=PAGE))
        while page := await self._do(lambda: next(pages, None), absent=Refused):
            for one in page:
                yield Standing(one["path"], int(one["size"]))

    async def look(self) -> None:
        await self._do(
            lambda: next(iter(self._library.list(self._store, chunk_size=1)), None), absent=Refused
        )

    async def _do(
        self,
        work: Callable[[], T],
        *,
        within: float | None = None,
        absent: type[Absent] | type[Refused] = Absent,
    ) -> T:
        # obstore's own end of a request comes first, unless it hangs
        seconds = within or 2 * self._threads.seconds + CONNECT
        try:
            return await self._threads.do(work, within=seconds)
        except FileNotFoundError as why:
            raise absent(f"{self.where}: {_short(why)}") from why
        except self._denied as why:
            raise Refused(f"{self.where} 拒绝 refuses us: {_short(why)}: look at the keys' file") from why
        except OSError as why:
            raise Away(f"{self.where}: {why.strerror or why}") from why
        except Away:
            raise
        except Exception as why:  # obstore's GenericError is anything from no route to 5xx
            text = _short(why)
            if "NoSuchBucket" in text or "404 Not Found" in text:
                raise Refused(f"{self.where} 不存在 is not there: make the bucket ({text})") from why
            if "403 Forbidden" in text or "401 Unauthorized" in text:
                # listing has no error of its own for these
                raise Refused(f"{self.where} 拒绝 refuses us: {text}: look at the keys' file") from why
            raise Away(f"{self.where}: {text}") from why


def _short(why: BaseException) -> str:
    """obstore's messages go on with an XML document, of which only the code is worth telling, and a dump."""
    lines = str(why).strip().splitlines() or [type(why).__name__]
    code = re.search(r"<Code>(\w+)</Code>", str(why))
    return lines[0].partition(": <?xml")[0][:300] + (f" {code[1]}" if code else "")
