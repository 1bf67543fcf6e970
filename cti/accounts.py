"""Who may sign in to the desk: persons in HOME/accounts.json by password, agents of the plan by their pin.

Passwords are kept as argon2 hashes. The file is small and read again whenever it changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cti.errors import Refused
from cti.home import Home, write_atomic
from cti.web.who import Role, Who
from plan.model import Plan

NAME = re.compile(r"[a-z][a-z0-9-]{1,23}")
SHORTEST = 8
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")
"""Checked when there is no such account, so that a guess takes as long."""


class Accounts:
    """``check`` computes for some 50 ms: run it in a thread."""

    def __init__(self, home: Home, plans: Callable[[], Mapping[str, Plan]]) -> None:
        self._file = home.root / "accounts.json"
        self._plans = plans
        self._read_at = -1.0
        self._rows: dict[str, dict[str, str]] = {}

    # --- signing in ---------------------------------------------------------------------------------

    def check(self, name: str, password: str) -> Who | None:
        """The person with this name and password."""
        row = self._known().get(name)
        try:
            _hasher.verify(row["hash"] if row else _NOBODY, password)
        except (Argon2Error, InvalidHashError):
            return None
        return _who(name, row) if row else None

    def check_agent(self, city: str, agent: str, pin: str) -> Who | None:
        """The agent with this pin. Raises Refused when the plan gives the agent none: an empty pin opens
        no door to the web, though it does at a phone."""
        plan = self._plans().get(city)
        known = plan.staff.get(agent) if plan is not None else None
        if known is not None and not known.pin:
            raise Refused(
                f'工号 {agent} 没有密码 agent {agent} has no pin: give one in agents.toml (pin = "…"), '
                f"or an account: cti account set NAME --role agent --city {city} --agent {agent}"
            )
        right = known.pin if known is not None else ""
        # compared also when there is no such agent
        same = hmac.compare_digest(right.encode(), pin.encode())
        if known is None or not same:
            return None
        return Who(name=f"agent-{agent}", role=Role.AGENT, city=city, agent=agent)

    def stamp(self, who: Who) -> str:
        """Changes when the password, the role or the pin does, and is empty when the person is gone: a
        session carries it, so that old sessions end."""
        row = self._known().get(who.name)
        if row is not None:
            told = row if _who(who.name, row) == who else None
        else:
            plan = self._plans().get(who.city)
            agent = plan.staff.get(who.agent) if plan is not None else None
            mine = agent is not None and agent.pin and who.name == f"agent-{who.agent}"
            told = {"pin": agent.pin} if mine and agent is not None else None
        if told is None:
            return ""
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    # --- keeping ------------------------------------------------------------------------------------

    def put(self, who: Who, password: str) -> None:
        """Make the account, or change it. Raises Refused naming what is wrong; nothing is written over a
        file that cannot be read."""
        if not NAME.fullmatch(who.name):
            raise Refused("name: small letters, digits and hyphens, 2 to 24, a letter first")
        if who.name.startswith(("agent-", "token-", "centre-")):
            raise Refused("name: agent-…, token-… and centre-… are names the house itself gives")
        if len(password) < SHORTEST:
            raise Refused(f"password: at least {SHORTEST} characters")
        if who.role is Role.AGENT and not (who.city and who.agent):
            raise Refused("an agent needs --city and --agent (工号)")
        rows = self._read()
        row = {"role": who.role.value, "city": who.city, "agent": who.agent, "hash": _hasher.hash(password)}
        self._write({**rows, who.name: row})

    def remove(self, name: str) -> None:
        """Raises Refused when there is no such account, or the file cannot be read."""
        rows = self._read()
        if rows.pop(name, None) is None:
            raise Refused(f"no account {name!r}; cti account list shows them")
        self._write(rows)

    def all(self) -> list[Who]:
        """Raises Refused when the file cannot be read."""
        return [_who(name, row) for name, row in sorted(self._read().items())]

    def _known(self) -> dict[str, dict[str, str]]:
        """As they were last read, while the file cannot be read."""
        try:
            at = self._file.stat().st_mtime
        except OSError:
            self._rows, self._read_at = {}, -1.0
            return self._rows
        if at != self._read_at:
            try:
                self._rows = self._read()
            except Refused:
                return self._rows
            self._read_at = at
        return self._rows

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            raw: Any = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as why:
            raise self._unreadable(str(why)) from why
        if not isinstance(raw, dict):
            raise self._unreadable("no accounts in it")
        return {name: row for name, row in raw.items() if isinstance(row, dict)}

    def _unreadable(self, why: str) -> Refused:
        return Refused(
            f"帐号文件无法读取 {self._file} cannot be read ({why}): "
            "put a copy of it back, or move it away and make every account anew with cti account set"
        )

    def _write(self, rows: Mapping[str, Mapping[str, str]]) -> None:
        write_atomic(self._file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n", mode=0o600)
        self._read_at = -1.0


def _who(name: str, row: Mapping[str, str]) -> Who:
    role = row.get("role", "")
    return Who(
        name=name,
        role=Role(role) if role in set(Role) else Role.OBSERVER,
        city=row.get("city", ""),
        agent=row.get("agent", ""),
    )
