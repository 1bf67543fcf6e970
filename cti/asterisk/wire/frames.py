"""AMI text: frames end in an empty line, headers are ``Name: value`` lines.

Reading is lazy: most events of a busy Asterisk interest nobody, so a frame stays bytes until its
event name is one we listen for, and then only the headers asked for are looked up.
"""

from __future__ import annotations

END = b"\r\n\r\n"
MAX_FRAME = 4 << 20
"""A frame longer than this is no AMI: the longest seen is a Command's output of some 100 kB."""

Headers = dict[str, str]


def event_name(frame: bytes) -> bytes:
    """``QueueCallerJoin`` of an event's frame, empty for a response.

    ConfbridgeStart and a few others end in three line ends instead of two, so that the *next*
    frame begins with one.
    """
    if not frame.startswith(b"Event: "):
        frame = frame.lstrip(b"\r\n")
        if not frame.startswith(b"Event: "):
            return b""
    end = frame.find(b"\r", 7)
    return frame[7:] if end < 0 else frame[7:end]


def text_of(frame: bytes) -> str:
    """The frame as text. Callers' names are whatever a carrier sent: bad UTF-8 must not lose the event."""
    return frame.decode("utf-8", "replace")


def value(text: str, key: str) -> str:
    r"""The first header ``key`` of the frame, empty when absent.

    ``key`` is written ``"\r\nUniqueid: "``: the line end in front keeps ``Uniqueid`` from finding
    ``DestUniqueid``, and the whole needle spares a concatenation per look-up.
    """
    start = text.find(key)
    if start < 0:
        return ""
    start += len(key)
    end = text.find("\r", start)
    return text[start:] if end < 0 else text[start:end]


def late(text: str, key: str, before: int | None = None) -> str:
    """``value`` for a header near the end of the frame: searched from there (four times as fast).

    Not for UserEvent, whose end a caller may influence; ``before`` keeps the search in front of that.
    """
    start = text.rfind(key, 0, before)
    if start < 0:
        return ""
    start += len(key)
    end = text.find("\r", start)
    return text[start:] if end < 0 else text[start:end]


def headers_of(text: str) -> Headers:
    """All headers. A repeated one (Output, Variable) becomes one value with line breaks."""
    headers: Headers = {}
    for line in text.split("\r\n"):
        key, colon, rest = line.partition(":")
        if not colon:
            continue
        rest = rest.removeprefix(" ")
        headers[key] = f"{headers[key]}\n{rest}" if key in headers else rest
    return headers
