"""An order's row of the audit trail: written as it begins, and again with its outcome, however it ends."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from calls.audit import Audited, Outcome
from cti.errors import NotNow, Refused
from cti.web.answers import Answered
from cti.web.who import Who


class Trail:
    """``note`` writes a row of the audit trail; it must not wait."""

    def __init__(self, note: Callable[[Audited], None]) -> None:
        self._note = note

    def denied(self, row: Audited, why: str) -> None:
        """This person may not."""
        self._end(row, Outcome.DENIED, why)

    def refused(self, row: Audited, why: str) -> None:
        """There is nothing to do it to."""
        self._end(row, Outcome.REFUSED, why)

    @contextlib.contextmanager
    def order(self, row: Audited) -> Iterator[dict[str, Any]]:
        """Around the work; whatever it raises goes on. What is put into the dict is told with the row once
        it is done."""
        self._note(row)
        more: dict[str, Any] = {}
        try:
            yield more
        except Answered as why:
            self.denied(row, str(why))
            raise
        except Refused as why:
            self.refused(row, str(why))
            raise
        except NotNow as why:
            self._end(row, Outcome.UNKNOWN, str(why))
            raise
        except BaseException as why:
            self._end(row, Outcome.UNKNOWN, type(why).__name__)
            raise
        if more:
            row = replace(row, told=_json({**json.loads(row.told or "{}"), **more}))
        self._end(row, Outcome.DONE, "")

    def _end(self, row: Audited, outcome: Outcome, why: str) -> None:
        self._note(replace(row, outcome=outcome, why=why[:500], ended=time.time()))


def row_of(who: Who, city: str, did: str, on: str, told: Mapping[str, Any]) -> Audited:
    """A row that begins now. ``told`` without numbers of citizens."""
    return Audited(
        id=uuid.uuid4().hex, at=time.time(), city=city, who=who.name, role=who.role.value, did=did, on=on,
        told=_json(told),
    )  # fmt: skip


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(dict(told), ensure_ascii=False)
