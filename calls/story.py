"""One call as prose: what happened, in the order it happened, Chinese with English beside.

Pure: facts in, lines out. ``at`` stays a number; whoever prints it knows the reader's time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from calls import facts as f
from calls.facts import CallId, Fact, LegId
from calls.mask import masked
from calls.picture import caller_leg, city_of
from plan.words import SEAT

STATUS: Mapping[str, tuple[str, str]] = {
    "TIMEOUT": ("等待超时", "the wait was over"),
    "FULL": ("队列已满", "the queue was full"),
    "JOINEMPTY": ("无人值守", "no seat was there"),
    "JOINUNAVAIL": ("座席均不可用", "no seat could take calls"),
    "LEAVEEMPTY": ("座席已全部离开", "the last seat left"),
    "LEAVEUNAVAIL": ("座席均不可用", "no seat could take calls any more"),
    "WITHDRAW": ("被调出队列", "the caller was taken out"),
}
WHO: Mapping[str, tuple[str, str]] = {
    "caller": ("来电人挂机", "the caller hung up"),
    "agent": ("话务员挂机", "the agent hung up"),
    "system": ("系统结束通话", "the system ended the call"),
    "transfer": ("话务员转出", "the agent transferred the call"),
}
SILENT: Mapping[str, tuple[str, str]] = {
    "SKIPPED": ("咨询暂停期内，未询问服务", "the service was not asked: it failed just before"),
    "SILENT": ("服务未答复", "the service stayed silent"),
    "LIE": ("服务答复无效，已忽略", "the service's answer was void and ignored"),
    "FAILURE": ("服务不可达", "the service was not reached"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the story."""

    at: float
    zh: str
    en: str


@dataclass(slots=True)
class _Telling:
    """What the teller remembers while reading."""

    number: Callable[[str], str]
    legs: dict[LegId, str]
    whole: bool = False
    """Numbers are told whole, and what only supervisors may know."""
    last: tuple[str, str] = ("", "")
    ended: bool = False
    talks: str = ""
    """The seat the caller talks to."""
    out: bool = False
    """An agent called the citizen."""


def tell(facts: Iterable[Fact], call: CallId, *, full: bool = False) -> list[Line]:
    """The story of ``call`` from its facts; what is told twice is told once. ``full``: numbers unmasked, and
    the red flags."""
    telling = _Telling(number=str if full else masked, legs={}, whole=full)
    lines: list[Line] = []
    for fact in facts:
        teller = _TELLERS.get(type(fact))
        said = teller(telling, fact, call) if teller is not None else None
        if said is not None and said != telling.last:
            telling.last = said
            lines.append(Line(fact.at, *said))
    return lines


Said = tuple[str, str] | None


def _seconds(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _who(t: _Telling, leg: LegId) -> tuple[str, str]:
    seat = t.legs.get(leg, "")
    if seat:
        return (f"座席 {seat}", f"seat {seat}")
    return ("市民", "the citizen") if t.out else ("来电人", "the caller")


def _started(t: _Telling, x: f.LegStarted, call: CallId) -> Said:
    if not x.called:
        _sits(t, x.leg, x.endpoint, call)
    return None


def _sits(t: _Telling, leg: LegId, endpoint: str, call: CallId) -> None:
    """Whose leg this is: a seat's, unless it is the citizen's whom a seat called."""
    prefix = city_of(call) + "-"
    seat = endpoint.removeprefix(prefix)
    if endpoint.startswith(prefix) and not (t.out and not SEAT.fullmatch(seat)):
        t.legs[leg] = seat


def _belongs(t: _Telling, x: f.LegBelongs, call: CallId) -> Said:
    if x.leg != caller_leg(call):
        _sits(t, x.leg, x.endpoint, call)
    return None


def _arrived(t: _Telling, x: f.CallArrived, call: CallId) -> Said:
    if x.direction == "out":
        t.legs[x.leg], t.out = x.seat, True
        of = (
            (f"（回拨来电 {x.callback_of}）", f", back for call {x.callback_of}")
            if x.callback_of
            else ("", "")
        )
        number = t.number(x.caller)
        return (
            f"座席 {x.seat} 外呼 {number}，显示 {x.called}，中继 {x.trunk}{of[0]}",
            f"seat {x.seat} calls {number} as {x.called}, trunk {x.trunk}{of[1]}",
        )
    if x.callback_of:
        number = t.number(x.caller)
        return (
            f"为 {number} 排队回电（来电 {x.callback_of}）",
            f"in line to call {number} back, as promised in call {x.callback_of}",
        )
    caller = t.number(x.caller) or "不明号码"
    caller_en = t.number(x.caller) or "a withheld number"
    over = f"（原被叫 {x.original}）" if x.original and x.original != x.called else ""
    over_en = f" (first dialled {x.original})" if over else ""
    handed = f"，由 {x.centre} 移交" + (f"（案号 {x.case}）" if x.case else "") if x.centre else ""
    handed_en = f", handed over by {x.centre}" + (f" (case {x.case})" if x.case else "") if handed else ""
    return (
        f"{caller} 拨入 {x.called}{over}，线路 {x.line}，中继 {x.trunk}{handed}",
        f"{caller_en} called {x.called}{over_en}, line {x.line}, trunk {x.trunk}{handed_en}",
    )


def _greeted(t: _Telling, x: f.GreetingEnded, call: CallId) -> Said:
    if t.out:
        # a call of ours: what the citizen hears first is the notice
        return ("市民已接听", "the citizen answered")
    return ("问候语播完", "the greeting ended")


def _asked(t: _Telling, x: f.AdviceAsked, call: CallId) -> Said:
    if x.next:
        by = {"service": ("服务", "the service"), "failsafe": ("应急脚本", "the failsafe")}
        zh, en = by.get(x.by, ("拨号方案", "the dialplan"))
        return (f"{zh}指示去向 {x.next}", f"{en} said: {x.next}")
    zh, en = SILENT.get(x.status, ("服务无建议", "the service had no advice"))
    return (f"{zh}，按拨号方案默认去向", f"{en}; the dialplan's default holds")


_CALL_BACK = {
    "asked": ("来电人接受回电，号码", "a call back was promised, to"),
    "standing": ("排队等待话务员，为", "a stand-in waits in line for"),
    "dialling": ("话务员已接起，正在拨打", "an agent answered, ringing"),
    "talking": ("市民已接听回电", "the citizen answered the call back:"),
    "resting": ("回电未成，稍后再试", "the call back failed, to be tried again:"),
    "given-up": ("回电多次未成，转人工办理", "tried often enough, a duty for a person:"),
    "done": ("回电完成", "called back:"),
}


def _call_back(t: _Telling, x: f.CallBackMoved, call: CallId) -> Said:
    zh, en = _CALL_BACK.get(x.state, (x.state, x.state))
    return (f"{zh} {t.number(x.number)}", f"{en} {t.number(x.number)}")


def _duty(t: _Telling, x: f.DutyPhoneAnswered, call: CallId) -> Said:
    return (f"值班电话 {x.phone} 已接听", f"the duty phone {x.phone} answered")


def _chose(t: _Telling, x: f.MenuChosen, call: CallId) -> Said:
    if not x.key:
        return (f"菜单 {x.menu} 未按键，转 {x.next}", f"menu {x.menu}: no key, on to {x.next}")
    if x.by == "voice":
        return (
            f"菜单 {x.menu} 说“{x.said}”，即 {x.key}，转 {x.next}",
            f"menu {x.menu}: said {x.said!r}, that is {x.key}, on to {x.next}",
        )
    return (f"菜单 {x.menu} 按 {x.key}，转 {x.next}", f"menu {x.menu}: key {x.key}, on to {x.next}")


def _message(t: _Telling, x: f.MessageReached, call: CallId) -> Said:
    return (f"转到留言或致歉 {x.message}", f"came to message {x.message}")


_LISTENED = {
    "HEARD": ("听懂了", "understood"),
    "UNCLEAR": ("没有听懂", "not understood"),
    "NOTHING": ("来电人没有说话", "the caller said nothing"),
    "KEYED": ("来电人按了键", "the caller pressed a key"),
    "NOBODY": ("没有识别服务，改用按键", "no recogniser, on with keys"),
    "SKIPPED": ("识别服务刚刚失灵，改用按键", "listening failed just now, on with keys"),
    "SILENT": ("识别服务没有回答，改用按键", "no answer, on with keys"),
    "LIE": ("识别服务的回答无效，改用按键", "a void answer, on with keys"),
}


def _listened(t: _Telling, x: f.MenuListened, call: CallId) -> Said:
    zh, en = _LISTENED.get(x.status, (x.status, x.status))
    said = (f"，听到“{x.said}”（{x.sure}%）", f", heard {x.said!r} ({x.sure} %)") if x.said else ("", "")
    return (
        f"菜单 {x.menu} 第 {x.round} 次问：{zh}{said[0]}",
        f"menu {x.menu}, question {x.round}: {en}{said[1]}",
    )


def _joined(t: _Telling, x: f.QueueJoined, call: CallId) -> Said:
    return (
        f"进入队列 {x.queue}，第 {x.position} 位",
        f"joined queue {x.queue} at position {x.position}",
    )


def _abandoned(t: _Telling, x: f.QueueAbandoned, call: CallId) -> Said:
    wait = _seconds(x.waited)
    return (
        f"在队列 {x.queue} 等待 {wait} 秒后放弃",
        f"gave up waiting in queue {x.queue} after {wait} s",
    )


def _gave_up(t: _Telling, x: f.QueueGaveUp, call: CallId) -> Said:
    if x.key:
        return (f"在队列 {x.queue} 中按 {x.key} 离开", f"left queue {x.queue} with key {x.key}")
    if x.status.upper() == "CONTINUE":
        return None  # the talk is over and the dialplan goes on: no giving up
    zh, en = STATUS.get(x.status.upper(), (x.status, x.status))
    return (f"离开队列 {x.queue}：{zh}", f"left queue {x.queue}: {en}")


def _rang(t: _Telling, x: f.SeatRang, call: CallId) -> Said:
    t.legs[x.leg] = x.seat
    return (f"座席 {x.seat} 振铃", f"seat {x.seat} rings")


def _declined(t: _Telling, x: f.SeatDeclined, call: CallId) -> Said:
    rang = _seconds(x.rang)
    return (f"座席 {x.seat} 振铃 {rang} 秒未接", f"seat {x.seat} rang {rang} s and did not answer")


def _answered(t: _Telling, x: f.SeatAnswered, call: CallId) -> Said:
    t.legs[x.leg] = x.seat
    t.talks = x.seat
    return (
        f"座席 {x.seat} 接听（等待 {_seconds(x.waited)} 秒，振铃 {_seconds(x.rang)} 秒）",
        f"seat {x.seat} answered (waited {_seconds(x.waited)} s, rang {_seconds(x.rang)} s)",
    )


def _finished(t: _Telling, x: f.SeatFinished, call: CallId) -> Said:
    # who hung up is told by the call's own end: app_queue says "caller" also when the agent's leg was cut
    zh, en = WHO["transfer"] if x.reason == "transfer" else ("", "")
    talk = _seconds(x.talked)
    if t.talks == x.seat:
        t.talks = ""
    return (
        f"与座席 {x.seat} 通话 {talk} 秒" + (f"，{zh}" if zh else ""),
        f"talked to seat {x.seat} for {talk} s" + (f"; {en}" if en else ""),
    )


def _bridged(t: _Telling, x: f.LegJoined, call: CallId) -> Said:
    seat = t.legs.get(x.leg, "")
    if not seat or t.talks == seat or x.kind == "holding":
        return None
    t.talks = seat
    return (f"与座席 {seat} 接通", f"connected to seat {seat}")


def _held(t: _Telling, x: f.LegHeld, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"{zh} 保持通话", f"{en} put the other on hold")


def _unheld(t: _Telling, x: f.LegUnheld, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"{zh} 恢复通话", f"{en} took the other back from hold")


def _blind(t: _Telling, x: f.BlindTransferred, call: CallId) -> Said:
    zh, en = _who(t, x.by)
    return (
        (f"{zh} 直接转接到 {x.to}", f"{en} transferred the call to {x.to}")
        if x.ok
        else (f"{zh} 转接到 {x.to} 失败", f"{en} could not transfer the call to {x.to}")
    )


def _attended(t: _Telling, x: f.AttendedTransferred, call: CallId) -> Said:
    to = next((s for leg in x.joined if (s := t.legs.get(leg, ""))), "")
    if not x.ok:
        return ("咨询转接失败", "the attended transfer failed")
    return (
        "咨询后转接" + (f"给座席 {to}" if to else ""),
        "transferred after a consultation" + (f" to seat {to}" if to else ""),
    )


def _entered(t: _Telling, x: f.ConferenceJoined, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"{zh} 进入会议 {x.room}", f"{en} entered conference {x.room}")


def _went(t: _Telling, x: f.ConferenceLeft, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"{zh} 离开会议 {x.room}", f"{en} left conference {x.room}")


def _recorded(t: _Telling, x: f.RecordingStarted, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"开始录音（{zh}）", f"recording of {en} started")


def _paused(t: _Telling, x: f.RecordingPaused, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"录音暂停（{zh}）", f"recording of {en} paused: silence is kept")


def _resumed(t: _Telling, x: f.RecordingResumed, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    return (f"录音恢复（{zh}）", f"recording of {en} goes on")


def _missed_mask(t: _Telling, x: f.MaskMissed, call: CallId) -> Said:
    zh, en = _who(t, x.leg)
    if x.until is None:
        return (f"录音未能暂停（{zh}），继续重试", f"recording of {en} did not pause: asked for again")
    lasted = max(0.0, x.until - x.since)
    return (
        f"录音 {lasted:.1f} 秒可能含应暂停内容（{zh}），归档时静音",
        f"recording of {en} may have {lasted:.1f} s of what was to be kept out: silenced when it is filed",
    )


def _filed(t: _Telling, x: f.RecordingFiled, call: CallId) -> Said:
    lost = (f"，缺 {x.short:g} 秒", f", {x.short:g} s are not in it") if x.short else ("", "")
    return (f"录音归档 {x.seconds:.1f} 秒{lost[0]}", f"recording filed, {x.seconds:.1f} s{lost[1]}")


def _missing(t: _Telling, x: f.RecordingMissing, call: CallId) -> Said:
    return (f"录音缺失（{x.why}）", f"a recording is missing: {x.why}")


def _flagged(t: _Telling, x: f.FlagRaised, call: CallId) -> Said:
    # a sign for the agent and the supervisors: whoever may not see a whole number is not told
    if not t.whole:
        return None
    return (f"红旗 {x.flag}：“{x.words}”", f"a red flag is raised, {x.flag}: {x.words!r}")


def _owed(t: _Telling, x: f.CallBackOwed, call: CallId) -> Said:
    if x.message:
        return (
            f"来电人留言 {x.message}，须回电",
            f"the caller left message {x.message}; a call back is owed",
        )
    return ("须回电", "a call back is owed")


def _returned(t: _Telling, x: f.CallerReturned, call: CallId) -> Said:
    t.talks = ""
    return (
        f"座席 {x.seat} 的话机失去联系，来电人回到队列 {x.queue} 队首",
        f"seat {x.seat}'s phone vanished; the caller goes to the head of queue {x.queue}",
    )


def _left(t: _Telling, x: f.CallLeft, call: CallId) -> Said:
    if x.call != call:
        return None
    t.ended = True
    zh, en = WHO.get(x.by, ("通话结束", "the call ended"))
    if t.out and x.by == "caller":
        zh, en = "市民挂机", "the citizen hung up"
    return (f"{zh}，通话结束（原因 {x.cause}）", f"{en}; the call ended (cause {x.cause})")


def _leg_ended(t: _Telling, x: f.LegEnded, call: CallId) -> Said:
    seat = t.legs.pop(x.leg, "")
    if seat or t.ended or x.leg != call.partition("-")[2]:
        return None
    t.ended = True
    return (f"来电方线路释放，通话结束（原因 {x.cause}）", f"the caller's leg ended (cause {x.cause})")


WATCHES: Mapping[str, tuple[str, str]] = {
    "listen": ("监听", "listens to"),
    "whisper": ("密语指导", "whispers to"),
    "barge": ("强插进入通话：", "barges in on"),
}


def _watched(t: _Telling, x: f.WatchBegan, call: CallId) -> Said:
    zh, en = WATCHES.get(x.how, (x.how, x.how))
    return f"班长（座席 {x.by}）{zh}座席 {x.seat}", f"the supervisor at seat {x.by} {en} seat {x.seat}"


def _unwatched(t: _Telling, x: f.WatchEnded, call: CallId) -> Said:
    return f"班长（座席 {x.by}）退出", f"the supervisor at seat {x.by} is out of the call"


def _taken(t: _Telling, x: f.CallTakenOver, call: CallId) -> Said:
    return f"班长（座席 {x.by}）接管通话", f"the supervisor at seat {x.by} takes the call over"


_TELLERS: Mapping[type[Fact], Callable[[_Telling, Any, CallId], Said]] = {
    f.LegStarted: _started,
    f.LegBelongs: _belongs,
    f.CallArrived: _arrived,
    f.CallBackMoved: _call_back,
    f.DutyPhoneAnswered: _duty,
    f.GreetingEnded: _greeted,
    f.AdviceAsked: _asked,
    f.MenuChosen: _chose,
    f.MessageReached: _message,
    f.MenuListened: _listened,
    f.QueueJoined: _joined,
    f.QueueAbandoned: _abandoned,
    f.QueueGaveUp: _gave_up,
    f.SeatRang: _rang,
    f.SeatDeclined: _declined,
    f.SeatAnswered: _answered,
    f.SeatFinished: _finished,
    f.LegJoined: _bridged,
    f.LegHeld: _held,
    f.LegUnheld: _unheld,
    f.BlindTransferred: _blind,
    f.AttendedTransferred: _attended,
    f.ConferenceJoined: _entered,
    f.ConferenceLeft: _went,
    f.RecordingStarted: _recorded,
    f.RecordingPaused: _paused,
    f.MaskMissed: _missed_mask,
    f.RecordingResumed: _resumed,
    f.RecordingFiled: _filed,
    f.RecordingMissing: _missing,
    f.FlagRaised: _flagged,
    f.CallBackOwed: _owed,
    f.CallerReturned: _returned,
    f.CallLeft: _left,
    f.LegEnded: _leg_ended,
    f.WatchBegan: _watched,
    f.WatchEnded: _unwatched,
    f.CallTakenOver: _taken,
}


def ending(call_left_by: str, at: float) -> Line:
    """The last line of a call whose end nobody of ours saw."""
    zh, en = WHO.get(call_left_by, ("通话已结束，结束时无人记录", "the call is over; nobody of ours saw how"))
    return Line(at, zh, en)
