"""Rendered dialplan walked without Asterisk: what becomes of the channels of a story, step by step.

It knows the few applications and functions that lead channels; whatever else stands there is noted as done.
A word it does not know in a condition fails the test, so nothing is taken for true by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

STEP = re.compile(r"(?:exten => ([^,]+),1| same => n)(?:\(([a-z0-9]+)\))?,([A-Za-z]+)\((.*)\)")
CALLED = re.compile(r"([A-Z_]+)\((.*)\)", re.DOTALL)
WORDS = re.compile(r'"[^"]*"|[0-9]+|FLOOR|!=|<=|>=|[=<>|&+*/()-]')
ENDS = frozenset({"Return", "Hangup", "ConfBridge", "Queue"})
"""Where the walk ends: what follows is another story."""


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    app: str
    args: str


Contexts = Mapping[str, Mapping[str, list[Step]]]


def read(text: str) -> Contexts:
    """The contexts of extensions.conf."""
    found: dict[str, dict[str, list[Step]]] = {}
    context, exten = "", ""
    for line in text.splitlines():
        if line.startswith("["):
            context = line[1:-1]
        elif step := STEP.fullmatch(line):
            exten = step[1] or exten
            found.setdefault(context, {}).setdefault(exten, []).append(Step(step[2] or "", step[3], step[4]))
    return found


@dataclass
class Asterisk:
    """Channels by name, each with its variables; SHARED ones stand there as ``SHARED(NAME)``."""

    contexts: Contexts
    channels: dict[str, dict[str, str]]
    done: list[str] = field(default_factory=list)
    """Applications that were run, as ``SoftHangup(PJSIP/demo-1001-1)``; variables are set, not noted."""
    _frames: list[dict[str, str]] = field(default_factory=list)
    """Of each Gosub under way, what its LOCAL ones were before."""

    def shared(self, channel: str, name: str) -> str:
        return self.channels[channel].get(f"SHARED({name})", "")

    def walks(
        self, channel: str, context: str, exten: str = "s", label: str = "1", *, within: Collection[str] = ()
    ) -> str:
        """From there on, through this context and those of ``within``. Where it ended: the last application,
        or the place outside to which it goes."""
        ours = {context, *within}
        at = self._place((context, exten, 0), [label])
        for _ in range(500):
            step = self.contexts[at[0]][at[1]][at[2]]
            args = self._told(channel, step.args)
            app, args = self._chosen(step.app, args)
            at = (at[0], at[1], at[2] + 1)
            if app in ("Goto", "GotoIf"):
                if not args:
                    continue
                at = self._place(at, args.split(","))
                if at[0] not in ours:
                    return args
                continue
            if app == "Set":
                self._set(channel, args)
            elif app not in ("", "NoOp"):
                self.done.append(f"{app}({args})")
            if app == "Gosub" and args.split(",")[0] in ours:
                self.done.pop()
                self._frames.append({})
                self.walks(channel, *args.split(",")[:2], within=ours)
                self.channels[channel] |= self._frames.pop()
            if app in ENDS:
                return app
        raise AssertionError(f"walks for ever: {at}")

    def _chosen(self, app: str, args: str) -> tuple[str, str]:
        """The application and its arguments after a condition."""
        if app not in ("GotoIf", "ExecIf", "GosubIf"):
            return app, args
        condition, _, both = args.partition("?")
        yes, _, no = both.partition(":")
        chosen = yes if condition not in ("", "0") else no
        if app == "ExecIf" and chosen:
            name, _, rest = chosen.partition("(")
            return name, rest[:-1]
        return ("" if app == "ExecIf" else "Gosub" if app == "GosubIf" and chosen else app), chosen

    def _place(self, at: tuple[str, str, int], told: list[str]) -> tuple[str, str, int]:
        context, exten, priority = [*at[:2][: 3 - len(told)], *told]
        labels = [step.label for step in self.contexts[context][exten]]
        return context, exten, int(priority) - 1 if priority.isdecimal() else labels.index(priority)

    def _set(self, channel: str, told: str) -> None:
        name, _, value = told.partition("=")
        if shared := re.fullmatch(r"SHARED\(([A-Z0-9_]+),(.+)\)", name):
            channel, name = shared[2], f"SHARED({shared[1]})"
        if local := re.fullmatch(r"LOCAL\(([A-Z0-9_]+)\)", name):
            name = local[1]
            self._frames[-1].setdefault(name, self.channels[channel].get(name, ""))
        self.channels[channel][name.lstrip("_")] = value

    def _told(self, channel: str, text: str) -> str:
        """With its variables, functions and expressions."""
        told = ""
        while text:
            begin = min((n for n in (text.find("${"), text.find("$[")) if n >= 0), default=-1)
            if begin < 0:
                return told + text
            end = _closing(text, begin + 1)
            inner = self._told(channel, text[begin + 2 : end])
            value = self._value(channel, inner) if text[begin + 1] == "{" else str(int(evaluated(inner)))
            told, text = told + text[:begin] + value, text[end + 1 :]
        return told

    def _value(self, channel: str, name: str) -> str:
        variables, called = self.channels[channel], CALLED.fullmatch(name)
        if called is None:
            of, last, many = name.partition(":-")
            return variables.get(of, "")[-int(many) :] if last else variables.get(name, "")
        function, args = called[1], called[2].split(",")
        match function:
            case "SHARED":
                return self.channels.get(args[1] if args[1:] else channel, {}).get(f"SHARED({args[0]})", "")
            case "CHANNEL":
                return channel if args == ["name"] else ""
            case "CHANNEL_EXISTS":
                return str(int(args[0] in self.channels))
            case "CUT":
                parts = variables.get(args[0], "").split(args[1])
                first, to, last = args[2].partition("-")
                return args[1].join(parts[int(first) - 1 : int(last or len(parts)) if to else int(first)])
            case "FILTER":
                return "".join(c for c in args[1] if c.isdigit())
            case "DIALPLAN_EXISTS":
                return str(int(args[1] in self.contexts.get(args[0], {})))
            case "CHANNELS" | "CONFBRIDGE_INFO" | "DB" | "HASH" | "PJSIP_AOR" | "PJSIP_CONTACT":
                return variables.get(name, "")  # as the story has it
            case "DB_DELETE":
                return variables.pop(f"DB({called[2]})", "")
            case "IF":
                condition, _, both = called[2].partition("?")
                yes, _, no = both.partition(":")
                return yes if condition not in ("", "0") else no
            case "IMPORT":
                return self.channels.get(args[0], {}).get(args[1], "")
            case "GROUP_COUNT":
                return "0"
            case "LOCK" | "UNLOCK":
                return "1"
            case "SET":
                set_to = ",".join(args)
                self._set(channel, set_to)
                return set_to.partition("=")[2]
            case "SHIFT":
                first, _, variables[args[0]] = variables.get(args[0], "").partition(args[1])
                return first
            case "STRFTIME":
                return ""  # it is only told
        raise AssertionError(f"an unknown function: {name}")


def _closing(text: str, begin: int) -> int:
    pairs, depth = {"{": "}", "[": "]"}, 0
    opens, closes = text[begin], pairs[text[begin]]
    for n in range(begin, len(text)):
        depth += (text[n] == opens) - (text[n] == closes)
        if not depth:
            return n
    raise AssertionError(f"not closed: {text}")


def evaluated(text: str) -> int | str:
    """An expression of Asterisk's: comparisons give 1 or 0."""
    words = WORDS.findall(text)
    assert "".join(words).replace(" ", "") == text.replace(" ", ""), f"unknown words: {text}"
    value, rest = _either(words)
    assert not rest, text
    return value


def _either(words: list[str], level: int = 0) -> tuple[int | str, list[str]]:
    levels = (("|",), ("&",), ("=", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
    if level == len(levels):
        return _one(words)
    left, words = _either(words, level + 1)
    while words and words[0] in levels[level]:
        right, rest = _either(words[1:], level + 1)
        left, words = _joined(left, words[0], right), rest
    return left, words


def _one(words: list[str]) -> tuple[int | str, list[str]]:
    if words[0] == "FLOOR":
        return _one(words[1:])  # where anything is divided, and nowhere else
    if words[0] == "(":
        value, rest = _either(words[1:])
        return value, rest[1:]
    return (words[0][1:-1] if words[0].startswith('"') else int(words[0])), words[1:]


def _joined(left: int | str, sign: str, right: int | str) -> int | str:
    match sign:
        case "|":
            return left or right
        case "&":
            return left and right
        case "+" | "-":
            return int(left) + (int(right) if sign == "+" else -int(right))
        case "*" | "/":
            return int(left) * int(right) if sign == "*" else int(left) // int(right)
        case "=" | "!=":
            return int((str(left) == str(right)) == (sign == "="))
    one, other = int(left), int(right)
    return int({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign])
