"""Red flags of a call over HTTP: for supervisors of its city, and the agent who is in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from pydantic import Field

from cti.web.answers import Answer, Answered, json_of
from cti.web.who import WHO, Role, Who
from recording.flagged import Flag, advice


class FlagAnswer(Answer):
    """Danger in what was said, once a call and kind."""

    call: str
    city: str
    flag: str = Field(
        description="gas, fire, injured, unconscious, crash, drowning, suicide, threat, violence, minor, "
        "lost, trapped, collapse"
    )
    title: str = Field(description="Chinese and English")
    words: str = Field(description="what was said around it, as it was understood then")
    leg: str
    second: float = Field(description="second of that leg's recording")
    at: float = Field(description="when it was raised")
    advice: str = Field(description="what the agent is told to do 处置提示")
    advice_en: str


def flag_answer(flag: Flag) -> FlagAnswer:
    known = advice(flag.flag)
    return FlagAnswer(
        call=flag.call,
        city=flag.city,
        flag=flag.flag,
        title=flag.flag if known is None else known.title,
        words=flag.words,
        leg=flag.leg,
        second=flag.second,
        at=flag.at,
        advice="" if known is None else known.zh,
        advice_en="" if known is None else known.en,
    )


class FlagDoor:
    """The route."""

    def __init__(
        self, flags: Callable[[str], Awaitable[Sequence[Flag] | None]], sits_in: Callable[[Who, str], bool]
    ) -> None:
        """``flags`` of a call, None when there is no such call; ``sits_in``: whether an agent is in it."""
        self._flags, self._sits_in = flags, sits_in

    def add(self, app: web.Application) -> None:
        app.router.add_get("/api/calls/{call}/flags", self._of_call)

    async def _of_call(self, request: web.Request) -> web.Response:
        who, call = request[WHO], request.match_info["call"]
        if len(call) > 128 or not call.isprintable():
            raise Answered(400, "not a call", "call")
        if not who.sees(call.partition("-")[0]):
            raise Answered(403, f"you are signed in for {who.city}")
        if not who.may(Role.AGENT):
            raise Answered(403, f"red flags are for agents and supervisors, you are {who.role}")
        if who.role is Role.AGENT and not self._sits_in(who, call):
            raise Answered(403, "agents see the flags of the call they are in; others are for supervisors")
        found = await self._flags(call)
        if found is None:
            raise Answered(404, f"no call {call!r}", "call")
        return json_of([flag_answer(x) for x in found])
