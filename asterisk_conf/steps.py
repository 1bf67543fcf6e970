"""Dialplan lines: one application per step, nothing that could be read as anything else."""

from __future__ import annotations

import re
from typing import Self

_CONTEXT = re.compile(r"[a-z0-9][a-z0-9-]*")
_EXTEN = re.compile(
    r"s|T|\+?[0-9]+|_\[[+0-9*#-]+\]!|_\*[0-9]{2}!|_\+?[0-9]+!|_\[a-z\]\[a-z0-9\]\."
    r"|[a-z0-9][a-z0-9+-]*|_caller-\+?[0-9]+!"
)
_APPLICATION = re.compile(r"[A-Z][A-Za-z]+")
_LABEL = re.compile(r"[a-z0-9]*")
_ARGUMENT = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
"""Printable ASCII without the semicolon. Commas are allowed: some arguments are Gosub's own lists."""


class Context:
    """One ``[context]``. It begins with extension ``s`` unless told otherwise (None: the first ``exten``)."""

    def __init__(self, name: str, first: str | None = "s") -> None:
        _must(_CONTEXT, name)
        self.name = name
        self._lines: list[str] = []
        self._start: str | None = first

    def exten(self, pattern: str) -> Self:
        """Begin an extension."""
        _must(_EXTEN, pattern)
        self._start = pattern
        return self

    def do(self, application: str, *arguments: str, label: str = "") -> Self:
        """One step. Raises ValueError for text that would not stay one step."""
        _must(_APPLICATION, application)
        _must(_LABEL, label)
        for argument in arguments:
            _must(_ARGUMENT, argument)
        call = f"{application}({','.join(arguments)})"
        if self._start is not None:
            self._lines.append(f"exten => {self._start},1{f'({label})' if label else ''},{call}")
            self._start = None
        else:
            self._lines.append(f" same => n{f'({label})' if label else ''},{call}")
        return self

    def landing(self) -> Self:
        """Two steps that do nothing: the beginning of an extension to which channels are redirected. The
        loop over the steps holds no lock (main/pbx.c, ``__ast_pbx_run``). A redirection that comes between
        two steps may begin at the second step of its extension, at the one whose number the channel had
        come to, or one before where its own Goto leads in that instant; where there is no such step the call
        ends (seen on 22.10: 29 of 30,740 channels that were redirected between two steps). So redirections
        lead to priority 1 and the channel's own Gotos to priority 2; and who can wait with a redirection
        until a channel is in an application does so."""
        return self.do("NoOp").do("NoOp")

    def text(self) -> str:
        return "\n".join((f"[{self.name}]", *self._lines)) + "\n"


def _must(pattern: re.Pattern[str], text: str) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"not a part of dialplan: {text!r}")


def rests(until: str, seconds: int) -> str:
    """True for so many seconds at most after nobody answered: until the second in this global variable.

    A clock set back since would make hours of them: a moment further off is believed no more.
    """
    at = f"0${{GLOBAL({until})}}"
    return f"${{EPOCH}} < {at} & {at} <= ${{EPOCH}} + {seconds}"
