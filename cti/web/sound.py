"""A wav as the answer to a request: all of it, or the range that a player asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sound:
    """A wav that can be read at any place."""

    size: int
    read: Callable[[int, int], Awaitable[bytes]]
    name: str
    consultations: bool = False
    """Whether one can be heard in it."""


async def ranged(request: web.Request, sound: Sound, *, attachment: bool = False) -> web.StreamResponse:
    """All of it, or the one range asked for (RFC 9110, 14)."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if attachment:
        headers["Content-Disposition"] = f'attachment; filename="{sound.name}"'
    begin, end, status = 0, sound.size, 200
    if "Range" in request.headers and request.method == "GET":
        try:
            wanted = request.http_range
        except ValueError:
            wanted = slice(None)
        begin, end, _ = slice(wanted.start, wanted.stop).indices(sound.size)
        if begin >= end:
            raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{sound.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{sound.size}"
    answer = web.StreamResponse(status=status, headers=headers)
    answer.content_type = "audio/wav"
    answer.content_length = end - begin
    await answer.prepare(request)
    while begin < end and request.method != "HEAD":
        block = await sound.read(begin, min(BLOCK, end - begin))
        if not block:
            break
        await answer.write(block)
        begin += len(block)
    await answer.write_eof()
    return answer
