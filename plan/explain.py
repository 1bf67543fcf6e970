"""A plan as a page a person reads: what is dialled, who answers, who handles it, by when, by which clause.

Chinese with English beside. ``pages`` gives sections of rows; the command prints them. Every row ends with
its clause, or with what the plan assumes where the notice is silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from plan.clauses import Deadline, Score, Step
from plan.merged import Merged, Stage
from plan.model import Menu, Plan, Queue
from plan.outgoing import EMERGENCY
from plan.reach import Centre
from plan.recordings import KNOWN
from plan.roads import stays
from plan.rule import Rule

MANY = 10_000
"""Cases enough to fill any item of a bonus."""
KINDS: Mapping[str, tuple[str, str]] = {
    "whole": ("整体并入", "whole merge"),
    "dual": ("双号并行", "dual number"),
    "kept": ("保留座席", "kept seats"),
    "dedicated": ("专席", "dedicated seats"),
    "linked": ("双向联动", "linked both ways"),
}
WAYS: Mapping[str, tuple[str, str]] = {
    "parallel": ("并行接听", "answered in parallel"),
    "forward": ("呼叫转移", "forwarded"),
    "reminder": ("语音提醒", "voice reminder"),
}
TREATMENTS: Mapping[str, tuple[str, str]] = {
    "announced": ("先播过渡提示，再接", "announcement, then"),
    "silent": ("直接接", "straight to"),
    "own": ("自有线路", "own line"),
    "closed": ("号码取消，语音告知", "cancelled, a voice says so"),
}
TYPES: Mapping[str, tuple[str, str]] = {
    "inquiry": ("咨询", "inquiry"),
    "suggestion": ("建议", "suggestion"),
    "help": ("求助", "help"),
    "complaint": ("投诉", "complaint"),
    "report": ("举报", "report of offence"),
    "ordinary": ("一般事项", "ordinary matter"),
    "urgent": ("紧急事项", "urgent matter"),
}
EVERY: Mapping[str, tuple[str, str]] = {
    "week": ("每周", "weekly"),
    "month": ("每月", "monthly"),
    "year": ("每年", "yearly"),
    "event": ("随时", "when it happens"),
}
_NUMBERS = "号码 number|名称 name|归并 merged|今日 today|变化 changes"
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table: ``heads`` over ``rows``, both languages in each cell that is not data."""

    title: str
    heads: Row
    rows: tuple[Row, ...]


def pages(plan: Plan, day: date) -> Iterator[Section]:
    """Every section that has something to say. ``day``: of which the numbers are told."""
    for title, heads, rows in (
        (
            f"号码 numbers ─ {day}",
            "号码 number|名称 name|归并 merged|今日 today|变化 changes",
            _numbers(plan, day),
        ),
        ("线路 lines", "线路 line|名称 name|问候 greeting|先到 first", _lines(plan)),
        ("队列 queues", "队列 queue|名称 name|座席 seats|等待 wait|然后 then", _queues(plan)),
        (
            "联动中心 linked centres",
            "座席拨 agents dial|名称 name|去路 ways|来电 calls from it",
            _centres(plan),
        ),
        ("可转接号码 contacts", "座席拨 agents dial|名称 name|去路 way", _contacts(plan)),
        ("外呼 calls to citizens", "项目 item|内容 what", _outgoing(plan)),
        ("录音分类 classes of recordings", "类别 class|保存 kept|可听 listens", _recordings(plan)),
        ("菜单 menus", "菜单 menu|名称 name|按键 keys|听什么 listens for|否则 otherwise", _menus(plan)),
        ("承办单位 units", "单位 unit|名称 name|值班 duty", _units(plan)),
        ("时限 deadlines", "类型 type|时限 term|说明 note", _deadlines(plan)),
        ("办理规则 rules", "规则 rule|内容 what", _rules(plan)),
        ("流程与督办 flow and supervision", "步骤 step|名称 name|由 by|何时 when", _flow(plan)),
        ("报告与指标 reports and figures", "名称 name|周期 every|内容 holds", _reports(plan)),
        ("考核 assessment", "项目 item|分 points|算法 formula|矛盾 oddity", _scores(plan)),
        ("不受理、否决、其他 refused, vetoes, else", "类 kind|内容 what", _rest(plan)),
    ):
        if found := tuple(rows):
            yield Section(title, (*heads.split("|"), "依据 clause"), found)


def clause(rule: Rule) -> str:
    """The clause, and what is assumed."""
    assumed = f"【假设 assumed】{rule.assumption}" if rule.assumption else ""
    return "\n".join(part for part in (rule.basis, assumed) if part)


def both(words: Mapping[str, tuple[str, str]], key: str) -> str:
    """``双号并行 dual number``."""
    return " ".join(words.get(key, (key, "")))


def named(title: str, title_en: str) -> str:
    return f"{title}\n{title_en}" if title_en else title


def today(plan: Plan, row: Merged, day: date) -> str:
    """What callers to a row meet on a day; for a row without a number: how it is reached."""
    number = next(iter((*row.numbers, *row.called)), "")
    if not number:
        return (
            f"12345内转接 inside 12345 → line:{row.line}"
            if row.kind == "dedicated"
            else "号码待报 no number yet"
        )
    stage = plan.stage(number, day)
    return met(stage) if stage else ""


def met(stage: Stage) -> str:
    """A stage in words."""
    words = both(TREATMENTS, stage.treatment)
    return f"{words} → line:{stage.line}" if stage.line else words


def _numbers(plan: Plan, day: date) -> Iterator[Row]:
    for name, line in plan.lines.items():
        if line.numbers:
            text = f"直接接 straight to → line:{name}"
            yield (
                "\n".join(line.numbers),
                named(line.title, line.title_en),
                "本线 own",
                text,
                "",
                clause(line),
            )
    for row in plan.numbers.values():
        number = next(iter((*row.numbers, *row.called)), "")
        later = [s for s in plan.stages(number) if s.begins is not None and s.begins > day] if number else []
        seen = [s.begins for s in plan.stages(number) if s.begins and s.begins <= day] if number else []
        told = [f"{s.begins} 起 from: {met(s)}" for s in later] or [f"{d} 起 since" for d in seen[-1:]]
        dialled = [*row.numbers, *(f"(被叫 DID {n})" for n in row.called)]
        how = both(KINDS, row.kind) + (f"\n{both(WAYS, row.way)}" if row.way != "forward" else "")
        yield (
            "\n".join(dialled) or "—", named(row.title, row.title_en), how, today(plan, row, day),
            "\n".join(told), clause(row),
        )  # fmt: skip


def _lines(plan: Plan) -> Iterator[Row]:
    for name, line in plan.lines.items():
        said = line.greeting + (f" + {line.notice}" if line.notice else "")
        yield (name, named(line.title, line.title_en), said, line.first, clause(line))


def seats_of(queue: Queue) -> str:
    """``1201 → 1001、1002``: in the order in which they ring."""
    levels: dict[int, list[str]] = {}
    for seat, penalty in queue.members.items():
        levels.setdefault(penalty, []).append(seat)
    return " → ".join("、".join(levels[level]) for level in sorted(levels))


def _queues(plan: Plan) -> Iterator[Row]:
    for name, queue in plan.queues.items():
        wait = f"{queue.wait_seconds} s" + ("\n优先 comes first" if queue.weight else "")
        wait += "\n录音静音 recordings silent" if queue.masked else ""
        title = named(queue.title, queue.title_en)
        onward = "留在本队列 stays" if stays(name, queue) else queue.next
        yield (name, title, seats_of(queue), wait, onward, clause(queue))


CENTRES: Mapping[str, tuple[str, str]] = {
    "emergency": ("紧急", "emergency"),
    "utility": ("水电气", "utility"),
    "hotline": ("热线", "hotline"),
}


def ways_of(centre: Centre) -> str:
    """``police 110 → carrier 110``: in the order in which they are tried."""
    return " → ".join(f"{way.trunk} {way.number}" for way in centre.ways)


def _centres(plan: Plan) -> Iterator[Row]:
    for name, centre in plan.centres.items():
        ways = [ways_of(centre), f"振铃 rings {centre.ring_seconds} s"]
        ways += ["推送记录 its computer is told"] if centre.webhook else []
        title = f"{centre.title}\n{both(CENTRES, centre.kind)}"
        yield (f"*{name}", title, "\n".join(ways), _known_by(plan, name, centre), clause(centre))


def _known_by(plan: Plan, name: str, centre: Centre) -> str:
    """How a call it hands to us is recognised, and who answers it."""
    rows = {n: row for n, row in plan.numbers.items() if row.kind == "linked" and plan.centre_of(n) == name}
    trunks = dict.fromkeys((*centre.calls_from, *(t for row in rows.values() for t in row.trunks)))
    callers = dict.fromkeys((*centre.numbers, *(c for row in rows.values() for c in row.callers)))
    called = dict.fromkeys(n for row in rows.values() for n in row.called)
    told = [f"中继 trunk {'、'.join(trunks)}"] if trunks else []
    told += [f"主叫 caller {'、'.join(callers)}"] if callers else []
    told += [f"被叫 called {'、'.join(called)}"] if called else []
    answers = [f"queue:{centre.queue}"] if centre.queue else [f"line:{row.line}" for row in rows.values()]
    to = "、".join(answers) or "所拨线路 the line it dialled"
    return "\n".join((*told, f"→ {to}")) if told else "—"


CONTACTS: Mapping[str, tuple[str, str]] = {
    "duty": ("值班电话", "duty phone"),
    "hotline": ("其他热线", "another hotline"),
    "number": ("外线", "outside number"),
}


def _contacts(plan: Plan) -> Iterator[Row]:
    for name, contact in plan.contacts.items():
        title = f"{contact.title}\n{both(CONTACTS, contact.kind)}"
        way = f"{contact.trunk} {contact.number}\n振铃 rings {contact.ring_seconds} s"
        yield (name, title, way, clause(contact))


HIDDEN: Mapping[str, tuple[str, str]] = {
    "no": ("不隐藏", "not hidden"),
    "callbacks": ("外呼时对话务员隐藏", "hidden from agents who call back"),
    "always": ("来电、外呼均隐藏", "hidden, whoever calls whom"),
}


def _outgoing(plan: Plan) -> Iterator[Row]:
    rules = plan.outgoing
    if rules is None:
        return
    whole = clause(rules)
    dialled = f"{rules.prefix} + 号码 number"
    yield ("拨法 dialled", f"{dialled}\n*16 回拨上一来电 the caller of the last call", whole)
    yield ("显示号码 shown", f"{rules.present}\n中继 trunks: {'、'.join(rules.trunks)}", whole)
    may = f"{rules.reveal} 及以上可查看并留痕 and above may reveal them, audited"
    yield ("号码隐藏 numbers", f"{both(HIDDEN, rules.hide_numbers)}\n{may}", whole)
    for verdict, entries in (("允许 allowed", rules.allow), ("拒绝 refused", rules.refused)):
        for name, entry in entries.items():
            numbers = f"{named(entry.title, entry.title_en)}\n{'、'.join(entry.patterns)}"
            through = f"\n中继 trunks: {'、'.join(entry.trunks)}" if entry.trunks else ""
            yield (f"{verdict} {name}", numbers + through, clause(entry) or whole)
    yield ("紧急 emergency", f"{'、'.join(EMERGENCY)} 从不拒绝 never refused", whole)


RECORDED: Mapping[str, tuple[str, str]] = {
    "handed": ("与联动中心移交", "handed to or by a centre"),
    "outgoing": ("外呼", "we called the citizen"),
    "flagged": ("出现红旗", "a red flag was raised"),
    "ticketed": ("已成工单", "became a ticket"),
    "consultation": ("市民听不到的内部咨询", "a consultation the citizen does not hear"),
}
LISTENERS: Mapping[str, tuple[str, str]] = {
    "supervisor": ("班长及以上", "supervisors and above"),
    "operator": ("仅管理员", "operators only"),
}


def _recordings(plan: Plan) -> Iterator[Row]:
    for name in (name for name in KNOWN if name in plan.recordings):
        rule = plan.recordings[name]
        kept = "同其他通话 as others" if rule.keep_days is None else f"{rule.keep_days} 天 days"
        yield (f"{name}\n{both(RECORDED, name)}", kept, both(LISTENERS, rule.listen), clause(rule))
    if plan.recordings:
        own = {name: line.recordings_keep_days for name, line in plan.lines.items()}
        days = [f"{plan.city.recordings_keep_days} 天 days"]
        days += [f"line:{name} {kept} 天 days" for name, kept in own.items() if kept is not None]
        yield ("其他 others", "\n".join(days), both(LISTENERS, "supervisor"), clause(plan.city))


def _menus(plan: Plan) -> Iterator[Row]:
    for name, menu in plan.menus.items():
        keys = "\n".join(f"{key} → {to}" for key, to in menu.keys.items())
        yield (name, menu.title, keys, _spoken(menu), menu.otherwise, clause(menu))


def _spoken(menu: Menu) -> str:
    """What is listened for, or nothing."""
    if menu.spoken is None:
        return ""
    asked = menu.spoken
    how = (
        f"先问 asks [{asked.prompt}]，听 {asked.seconds} 秒、最多 {asked.tries} 次 "
        f"─ {asked.seconds} s, {asked.tries} times at most"
    )
    return "\n".join((how, *(f"{key}：{'、'.join(words)}" for key, words in menu.words.items())))


def _units(plan: Plan) -> Iterator[Row]:
    for name, unit in plan.units.items():
        yield (name, named(unit.title, unit.title_en), "24h" if unit.duty else "", clause(unit))


def _term(rule: Deadline) -> str:
    parts = ["即时 at once"] if rule.at_once else []
    parts += [f"{rule.workdays} 个工作日 workdays"] if rule.workdays else []
    parts += [f"{rule.hours} 小时 hours"] if rule.hours else []
    return " ".join(parts) or "通知未定 not named"


def _deadlines(plan: Plan) -> Iterator[Row]:
    for kind, rule in plan.rules.deadlines.items() if plan.rules else ():
        yield (both(TYPES, kind), _term(rule), rule.note, clause(rule))


def _rules(plan: Plan) -> Iterator[Row]:
    rules = plan.rules
    if rules is None:
        return
    if rules.extension is not None:
        one = rules.extension
        parts = ["到期前 before the deadline"] if one.before_deadline else []
        parts += ["书面 in writing"] if one.in_writing else []
        parts += ["说明理由 with reasons"] if one.reasons else []
        if one.at_most_share is not None:
            parts.append(f"至多原时限的 at most {one.at_most_share:.0%}")
        parts += [f"{what}除外 not for it" for what in one.not_for]
        yield ("延期 extension", "；".join(parts), clause(one))
    if rules.returns is not None:
        back = rules.returns
        term = f"{back.workdays} 个工作日内 workdays" if back.workdays else "天数未定 days not named"
        unit = plan.units[back.decides].title if back.decides in plan.units else back.decides
        yield ("退回 return", f"{term}；由{unit}决定 decides", clause(back))
    if rules.redo is not None:
        redo = rules.redo
        parts = [redo.when]
        parts += [f"{redo.times} 次 times"] if redo.times else []
        parts += [f"{redo.workdays} 个工作日 workdays"] if redo.workdays else []
        parts += ["并督办 supervised"] if redo.supervised else []
        yield ("重办 redo", "；".join(parts), clause(redo))
        yield from (("重办 redo", _case(case), clause(case)) for case in redo.cases)
    if rules.assessment is not None:
        yield ("考核形式 how assessed", rules.assessment.form, clause(rules.assessment))


def _case(case: Step) -> str:
    name = named(case.title, case.title_en)
    return f"{case.when}：{name}" if case.when else name


def _flow(plan: Plan) -> Iterator[Row]:
    for kind, steps in (
        (("流程 flow", plan.rules.flow), ("督办 supervise", plan.rules.supervision)) if plan.rules else ()
    ):
        for number, step in enumerate(steps, 1):
            unit = plan.units[step.by].title if step.by in plan.units else step.by
            yield (f"{kind} {number}", named(step.title, step.title_en), unit, step.when, clause(step))


def _reports(plan: Plan) -> Iterator[Row]:
    if plan.rules is None:
        return
    for report in plan.rules.reports:
        when = both(EVERY, report.every) + (
            f" 周{'一二三四五六日'[report.weekday - 1]}" if report.weekday else ""
        )
        holds = f"{report.holds} → {'、'.join(report.to)}"
        yield (named(report.title, report.title_en), when, holds, clause(report))
    for figure in plan.rules.figures:
        goal = f"≥ {figure.goal:.0%}" if figure.goal is not None else ""
        yield (named(figure.title, figure.title_en), "指标 figure", goal, clause(figure))
    for alarm in plan.rules.alarms:
        limit = f"< {alarm.below:.0%}" if alarm.below is not None else f"后 {alarm.bottom} 位 the last"
        limit = "低于平均 below the mean" if alarm.below_average else limit
        name = named(alarm.title, alarm.title_en)
        yield (name, both(EVERY, alarm.every), f"{limit} → {alarm.by}", clause(alarm))


def _scores(plan: Plan) -> Iterator[Row]:
    if plan.rules is None:
        return
    for item in plan.rules.scores:
        yield (item.title, f"{item.points:g}", _formula(item, "扣 off"), item.oddity, clause(item))
    for item in plan.rules.bonus:
        yield (f"加分 bonus：{item.title}", f"{item.points:g}", _formula(item, "加 plus"), "", clause(item))
    if (most := plan.rules.bonus_most) is not None:
        # as if every item had as many cases as it can count
        full = plan.rules.bonus_for({item.title: MANY for item in plan.rules.bonus})
        yield ("加分合计 bonus in all", f"{full:g}", "加满为止 at most", "", clause(most))


def _formula(item: Score, per: str) -> str:
    if item.numerator and item.times is not None:
        return f"{item.numerator} ÷ {item.denominator} × {item.times:g}"
    return f"每次{per} {item.off:g}" if item.off is not None else ""


def _rest(plan: Plan) -> Iterator[Row]:
    if plan.rules is None:
        return
    yield from (("不受理 refused", veto.title, clause(veto)) for veto in plan.rules.refused)
    yield from (("否决 veto", veto.title, clause(veto)) for veto in plan.rules.vetoes)
    for one in plan.rules.liability:
        to = f" → {'、'.join(one.to)}" if one.to else ""
        yield ("问责 held to account", f"{one.when}：{one.then}{to}", clause(one))
    kinds: tuple[tuple[str, tuple[Step, ...]], ...] = (
        ("渠道 channel", plan.rules.ways),
        ("要求 duty", plan.rules.duties),
    )
    for kind, steps in kinds:
        yield from ((kind, named(step.title, step.title_en), clause(step)) for step in steps)
