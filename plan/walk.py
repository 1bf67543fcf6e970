"""A call walked through a plan on paper: what the caller hears and where each decision leads."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from plan.explain import ways_of
from plan.merged import Stage
from plan.model import Destination, Menu, Message, Plan, Queue
from plan.roads import stays


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. ``decided`` says why it went on as it did."""

    what: str
    decided: str = ""


Onward = Generator[Step, None, Destination | None]


def walk(
    plan: Plan,
    number: str,
    texts: Mapping[str, str],
    *,
    keys: str = "",
    forwarded_from: str = "",
    day: date | None = None,
) -> Iterator[Step] | None:
    """The whole road of a call to ``number`` when no agent ever answers; None when no line owns it.

    ``texts``: what the shipped prompts say. ``keys``: what the caller presses, one for each menu.
    ``forwarded_from``: the number that forwarded the call here (Diversion). ``day``: the date of the call;
    merged numbers (numbers.toml) are only known with it.
    """
    dialled = number
    stage = plan.stage(number, day) if day else None
    if stage is None and forwarded_from:
        # the called number counts first: a carrier may drop or invent a Diversion (decision 8)
        stage = plan.stage(forwarded_from, day) if day else None
        dialled = forwarded_from if stage or plan.line_of(forwarded_from) else number
    name = stage.line if stage else plan.line_of(dialled)
    if name is None:
        return None
    said = {**texts, **{id: own.text or f"（录音 {own.wav}）" for id, own in plan.prompts.items()}}
    if stage is not None:
        return _merged(plan, stage, number, forwarded_from, said, list(keys))
    return _line(plan, name, number, forwarded_from, said, list(keys))


_HOW = {
    "announced": "过渡期：先播语音提示 in transition: an announcement comes first",
    "silent": "已整体并入，直接由 12345 接听 merged: answered as 12345, without a word",
    "own": "自有线路 a line of its own",
    "closed": "号码已取消 the number is cancelled",
}


def _merged(
    plan: Plan, stage: Stage, number: str, forwarded_from: str, said: Mapping[str, str], keys: list[str]
) -> Iterator[Step]:
    row = plan.numbers[stage.row]
    until = f"，自 from {stage.begins}" if stage.begins else ""
    yield Step(
        f"{number}：归并清单 numbers.{stage.row}「{row.title}」{row.kind}{until}",
        f"{_HOW[stage.treatment]}；依据 basis: {row.basis or row.assumption}",
    )
    if row.kind == "linked" and stage.treatment == "own":
        centre = plan.centre_of(stage.row) or stage.row
        yield Step(
            f"由中心 {centre} 移交：不受中继上限限制，排在最前 ─ handed over by it: past every limit, first",
            "案件编号与说明随来电显示 its case and story come to the screen",
        )
    if stage.prompt:
        yield Step(f"听到 hears: 「{said.get(stage.prompt, stage.prompt)}」 [{stage.prompt}]")
    if stage.line:
        yield from _line(plan, stage.line, number, forwarded_from, said, keys)
    else:
        yield Step("挂机 hangs up")


def _line(
    plan: Plan, name: str, number: str, forwarded_from: str, said: Mapping[str, str], keys: list[str]
) -> Iterator[Step]:
    via = ", ".join(plan.trunks)
    how = f"{number} 属于线路 {name} belongs to line {name}"
    if forwarded_from:
        how = f"由 {forwarded_from} 转来，原号码保留 forwarded: line {name}, the original number is kept"
    yield Step(f"{plan.city.title}：来电 {number}，中继 {via} ─ a call to {number}, trunk {via}", how)
    yield from _enter(plan, name, said)
    at: Destination | None = Destination.parse(plan.lines[name].first)
    reached = False
    while at is not None:
        match at.kind:
            case "queue":
                at = yield from _queue(plan, at.name, plan.queues[at.name])
                if not reached:
                    yield from _reach(plan)
                reached = True
            case "menu":
                at = yield from _menu(at.name, plan.menus[at.name], said, keys)
            case "message":
                yield from _message(at.name, plan.messages[at.name], said)
                at = None
            case "phone":
                phone = plan.phones[at.name]
                yield Step(
                    f"拨打值班电话 duty phone {at.name}「{phone.title}」：振铃 {phone.ring_seconds} 秒 ─ "
                    f"rings {phone.ring_seconds} s through trunk {phone.trunk}",
                    f"无人接听则去 {phone.next} if nobody answers: {phone.next}",
                )
                at = Destination.parse(phone.next)
            case "line":
                yield Step(f"转到线路 line {at.name}")
                yield from _enter(plan, at.name, said)
                at = Destination.parse(plan.lines[at.name].first)


def _enter(plan: Plan, name: str, said: Mapping[str, str]) -> Iterator[Step]:
    line = plan.lines[name]
    yield Step(f"应答，开始录音；听到 hears: 「{said.get(line.greeting, line.greeting)}」 [{line.greeting}]")
    if line.notice:
        yield Step(f"听到 hears: 「{said.get(line.notice, line.notice)}」 [{line.notice}]")
    if line.ask:
        rules = [rule for rule in plan.advice if not rule.lines or name in rule.lines]
        hints = ", ".join(f"{'/'.join(a.callers)} → {a.to}" for a in rules) or "无 none"
        yield Step(
            "问服务「去哪里？」，最多约 1 秒 ─ the service is asked where to go, about a second at most",
            f"没有建议则去 {line.first} without advice: {line.first}；规则 rules: {hints}",
        )
    else:
        yield Step("不询问服务 the service is not asked", f"去 {line.first}")


def _queue(plan: Plan, name: str, queue: Queue) -> Onward:
    levels: dict[int, list[str]] = {}
    for seat, penalty in queue.members.items():
        levels.setdefault(penalty, []).append(seat)
    for number, agent in plan.agents.items():
        if name in agent.skills and agent.seat not in queue.members:
            levels.setdefault(agent.skills[name], []).append(f"工号 {number}")
    order = "，然后 then ".join("、".join(levels[p]) for p in sorted(levels))
    keeps = stays(name, queue)
    yield Step(
        f"进入队列 queue {name}「{queue.title}」：座席 {order} 每次振铃 {queue.ring_seconds} 秒，"
        f"最长等待 {queue.wait_seconds} 秒 ─ {queue.ring_seconds} s each, at most {queue.wait_seconds} s",
        "无人接听则留在本队列 if nobody answers: they stay"
        if keeps
        else f"无人接听则去 {queue.next} if nobody answers: {queue.next}",
    )
    return None if keeps else Destination.parse(queue.next)


def _reach(plan: Plan) -> Iterator[Step]:
    """Whom an agent who has answered may bring the caller to outside."""
    centres = [f"*{name} {c.title}（{ways_of(c)}）" for name, c in plan.centres.items()]
    contacts = [f"{name} {c.title}（{c.trunk} {c.number}）" for name, c in plan.contacts.items()]
    if centres:
        yield Step(f"接听的座席可一键移交 whoever answers may hand over to: {'；'.join(centres)}")
    if contacts:
        yield Step(f"也可转接 or transfer to: {'；'.join(contacts)}")


def _menu(name: str, menu: Menu, said: Mapping[str, str], keys: list[str]) -> Onward:
    if menu.spoken is not None:
        asked = menu.spoken
        yield Step(
            f"问 asks: 「{said.get(asked.prompt, asked.prompt)}」 [{asked.prompt}]，听 {asked.seconds} 秒，"
            f"最多 {asked.tries} 次 ─ listens {asked.seconds} s, {asked.tries} times at most",
            "；".join(f"{'、'.join(words)} → {menu.keys[key]}" for key, words in menu.words.items()),
        )
    offered = "、".join(f"{key} → {to}" for key, to in menu.keys.items())
    yield Step(
        f"菜单 menu {name}；听到 hears: 「{said.get(menu.prompt, menu.prompt)}」 [{menu.prompt}]", offered
    )
    pressed = keys.pop(0) if keys else ""
    to = menu.keys.get(pressed, menu.otherwise)
    told = (
        f"按 keys {pressed}" if pressed else f"不按键（试 {menu.tries} 次）keys nothing, {menu.tries} tries"
    )
    yield Step(told, f"去 {to}")
    return Destination.parse(to)


def _message(name: str, message: Message, said: Mapping[str, str]) -> Iterator[Step]:
    yield Step(
        f"留言 message {name}；听到 hears: 「{said.get(message.prompt, message.prompt)}」 [{message.prompt}]"
    )
    if message.record:
        yield Step(
            f"提示音后留言，最多 {message.record_seconds} 秒 ─ records up to {message.record_seconds} s"
        )
    if message.call_back or message.record:
        yield Step("登记：欠回电 ─ a call-back is owed")
    yield Step("挂机 hangs up")
