"""Signing in to the desk: a password or a pin for a token that ends by itself (RFC 7519, HS256).

The key is kept in HOME/secrets.json, so a token outlives a restart of the service and holds at each of
several. It carries a stamp of the account: a changed password, role or pin ends it at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Annotated, Any, Protocol

import jwt
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cti.errors import Refused
from cti.web.answers import Answer, Answered, json_of, told
from cti.web.who import WHO, Role, Who

SECONDS = 3600.0
"""A token's life; ``renew`` gives a new one."""
SHIFT = 16 * 3600.0
"""Renewed so long after signing in, and no longer: then the password is asked again."""
TRIES, WITHIN = 5, 60.0
"""So many wrong passwords for one name in so many seconds; then nobody signs in by that name for as long."""
ALGORITHM = "HS256"


class People(Protocol):
    """Who there is; ``cti.accounts`` has them."""

    def check(self, name: str, password: str) -> Who | None: ...

    def check_agent(self, city: str, agent: str, pin: str) -> Who | None:
        """Raises Refused when this agent cannot sign in at all, and why."""

    def stamp(self, who: Who) -> str: ...


class SignInBody(BaseModel):
    """``name`` and ``password``; or ``city``, ``agent`` and ``pin``."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=24)] = ""
    password: Annotated[str, Field(max_length=128)] = ""
    city: Annotated[str, Field(pattern=r"^([a-z][a-z0-9]{0,15})?$")] = ""
    agent: Annotated[str, Field(pattern=r"^([0-9]{3,6})?$", description="工号")] = ""
    pin: Annotated[str, Field(max_length=8)] = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> SignInBody:
        if bool(self.name) == bool(self.agent):
            raise ValueError("tell 'name' and 'password', or 'city', 'agent' and 'pin'")
        if self.agent and not self.city:
            raise ValueError("an agent's 'city' is missing")
        return self


class SessionAnswer(Answer):
    """``token`` goes into ``Authorization: Bearer``."""

    token: str
    ends: float = Field(description="seconds since the epoch; POST /api/sessions/renew before")
    name: str
    role: Role
    city: str = Field(description="empty: every city")
    agent: str


class Sessions:
    """The doors /api/sessions…; ``who`` reads a token."""

    def __init__(
        self,
        key: str,
        people: People,
        tell: Callable[[Who, str, bool], None] = lambda who, why, ok: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``tell`` hears of every sign-in and every refusal: for the audit trail."""
        self._key, self._people, self._tell, self._now = key, people, tell, now
        self._wrong: dict[str, deque[float]] = {}
        # argon2 takes 64 MiB and a core for 50 ms
        self._two = asyncio.Semaphore(2)

    def add(self, app: web.Application) -> None:
        app.router.add_post("/api/sessions", self._sign_in)
        app.router.add_post("/api/sessions/renew", self._renew)
        app.router.add_get("/api/session", self._mine)

    def who(self, token: str) -> Who | None:
        """Whose token this is; None when it is none, has ended, or the account changed."""
        claims = self._claims(token)
        return None if claims is None else _who(claims)

    def issue(self, who: Who, began: float | None = None) -> SessionAnswer:
        """A token from now on; ``began``: when the password was told."""
        now = self._now()
        began = now if began is None else began
        ends = min(now + SECONDS, began + SHIFT)
        claims = {
            "sub": who.name,
            "role": who.role.value,
            "city": who.city,
            "agent": who.agent,
            "stamp": self._people.stamp(who),
            "began": began,
            "exp": ends,
        }
        return SessionAnswer(
            token=jwt.encode(claims, self._key, ALGORITHM),
            ends=ends,
            name=who.name,
            role=who.role,
            city=who.city,
            agent=who.agent,
        )

    def _claims(self, token: str) -> dict[str, Any] | None:
        options: Any = {"require": ["exp", "sub"], "verify_exp": False}
        try:
            claims = jwt.decode(token, self._key, [ALGORITHM], options=options)
            who = _who(claims)
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            return None
        if claims["exp"] <= self._now():
            return None
        stamp = self._people.stamp(who)
        return claims if stamp and stamp == claims.get("stamp") else None

    async def _sign_in(self, request: web.Request) -> web.Response:
        body = await told(request, SignInBody)
        name = body.name or f"{body.city}/{body.agent}"
        self._slow_down(name)
        asks = Who(
            name=name, role=Role.AGENT if body.agent else Role.OBSERVER, city=body.city, agent=body.agent
        )
        try:
            async with self._two:
                who = await asyncio.to_thread(self._check, body)
        except Refused as why:
            self._tell(asks, str(why), False)
            raise
        if who is None:
            if len(self._wrong) > 10_000:
                self._wrong.clear()
            self._wrong.setdefault(name, deque(maxlen=TRIES)).append(self._now())
            self._tell(asks, "wrong name or password", False)
            raise Answered(401, "name or password is wrong 用户名或密码错误")
        self._wrong.pop(name, None)
        self._tell(who, "", True)
        return json_of(self.issue(who), status=201)

    def _check(self, body: SignInBody) -> Who | None:
        if body.agent:
            return self._people.check_agent(body.city, body.agent, body.pin)
        return self._people.check(body.name, body.password)

    def _slow_down(self, name: str) -> None:
        """Raises Answered when this name was told wrongly too often."""
        wrong = self._wrong.get(name)
        if wrong is not None and len(wrong) >= TRIES and wrong[0] > self._now() - WITHIN:
            raise Answered(429, f"{TRIES} wrong passwords: wait {WITHIN:g} s, then try again", "password")

    async def _renew(self, request: web.Request) -> web.Response:
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = self._claims(token.strip())
        if claims is None:
            raise Answered(403, "a token of tokens.json does not end and is not renewed")
        began = float(claims["began"])
        if began + SHIFT <= self._now() + 60.0:
            raise Answered(401, "sign in again: a session is renewed for 16 hours at most")
        return json_of(self.issue(_who(claims), began), status=201)

    async def _mine(self, request: web.Request) -> web.Response:
        who = request[WHO]
        return json_of(WhoAnswer(name=who.name, role=who.role, city=who.city, agent=who.agent))


class WhoAnswer(Answer):
    """Whose token this is."""

    name: str
    role: Role
    city: str = Field(description="empty: every city")
    agent: str


def _who(claims: dict[str, Any]) -> Who:
    return Who(
        name=str(claims["sub"]),
        role=Role(claims["role"]),
        city=str(claims.get("city", "")),
        agent=str(claims.get("agent", "")),
    )
