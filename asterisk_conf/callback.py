"""Call-back in queue, in dialplan: accepted, kept and rung with the service dead; the service tries again.

A waiting caller presses a key, hears a number read out and confirms it. What was promised stands in AstDB
``hotline-callback/<CALL_ID>`` before the caller is let go, as
``city/queue/line/number/rank/tries/state/due``, and in queue_log (HOTLINECALLBACK) and a UserEvent besides.
The rank is the caller's own (asterisk_conf.waiting), so a stand-in that joins now, after a restart or for a
second try comes to the very place the caller had.

The stand-in is a Local channel. Its ;2 half waits in the queue like a caller and has a call of its own, which
says whose call back it is; when an agent has answered, its ;1 half dials the citizen. So the agent is rung
first, and nobody is called to hear music. ``hotline-stand-in/<CALL_ID>`` names the ;2 half: there is never a
second one.

For a transfer the ;2 half is the caller: what becomes of it the citizen hears through both halves. Until the
citizen has answered there is nobody to transfer (SHARED ``AWAITED``, ``asterisk_conf.transfer_state``).

States: asked, standing, dialling, talking, resting (the next try is due), given-up. When the two have talked
the record goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.seat_leg import HANDED_OVER
from asterisk_conf.steps import Context
from asterisk_conf.transfer import caller_arrives
from asterisk_conf.transfer_gone import caller_leaves
from asterisk_conf.transfer_state import of_caller
from asterisk_conf.waiting import KEY_CALL_BACK, RANK
from plan.model import CallBack, Plan

FAMILY = "hotline-callback"
STANDING = "hotline-stand-in"
FIELDS = ("city", "queue", "line", "number", "rank", "tries", "state", "due")
"""Of a record, in this order, with ``/`` between."""
STAND_SECONDS = 86_400
"""A stand-in waits as long as it takes; a day is longer than any queue."""
CODEC = "alaw"
"""Of a stand-in's two halves: what phones and trunks speak, so that nothing is translated. A translation path
leaves out what has a lower RTP number than what came before (``asterisk_conf.in_step``): in Originate()'s own
slin, citizen and agent heard nothing of whoever came next, or of the ringing, about one time in two."""
ANY_CALL = "_[a-z][a-z0-9]."
"""Extensions that are a CALL_ID. Two characters at least: ``h``, ``i``, ``t`` mean something to Asterisk."""
SHORTEST, LONGEST = 7, 12
"""Digits of a number that may be called back: no short codes, nothing abroad."""

_RECORD = f"{FAMILY}/${{OF}}"
_VALUES = "${CITY}/${QUEUE}/${LINE}/${NUMBER}/${RANK}/${TRIES}/${STATE}/${DUE}"


def city_callback_contexts(plan: Plan) -> Iterator[Context]:
    """For each queue that offers it: the key, and what a stand-in needs to know."""
    for name, queue in plan.queues.items():
        rule = queue.call_back
        if rule is None:
            continue
        keys = Context(f"{plan.id}-keys-{name}", None)
        keys.exten(KEY_CALL_BACK)
        keys.do("Set", f"QUEUE_KEY={KEY_CALL_BACK}").do("Set", "QUEUESTATUS=KEY")
        keys.do("Set", "CHANNEL(language)=zh")
        keys.do("Gosub", "queued-out", "s", f"1({name})")
        keys.do("Goto", "call-back", "s", "1")
        yield keys
        yield _rule(plan, name, rule)


def _rule(plan: Plan, queue: str, rule: CallBack) -> Context:
    context = Context(f"{plan.id}-callback-{queue}")
    context.do("Set", f"MOST={rule.tries}")
    context.do("Set", f"AGAIN={rule.again_after_seconds}")
    context.do("Set", f"RING={rule.ring_seconds}")
    context.do("Set", f"OUT={plan.id}-{rule.trunk}")
    context.do("Set", f"OUT_CHANNELS={plan.trunks[rule.trunk].unreserved}")
    # who calls, as the citizen sees it: not the seat's number
    context.do("Set", f"SHOWN={_shown(plan)}")
    return context.do("Return")


def _shown(plan: Plan) -> str:
    """The number the hotline is known by."""
    lines = sorted(plan.lines.values(), key=lambda line: line.kind != "main")
    return lines[0].numbers[0] if lines else ""


def callback_contexts() -> Iterator[Context]:
    """What all cities share."""
    yield _offer()
    yield _read_out()
    yield _note()
    yield _told()
    yield _stand_up()
    yield _stand_in()
    yield _stand_in_left()
    yield _citizen()
    yield _citizen_up()
    yield _citizen_left()


def _offer() -> Context:
    """On the caller's channel, who pressed the key: the number is read out and confirmed, or the caller goes
    back to the same place.

    Only what outgoing.toml allows is called when it was keyed: whoever calls us could have us call anything
    else. The number the call comes from is called unless it is refused."""
    context = Context("call-back")
    # whoever is being called back and waits again: two promises for one citizen would be told apart by nobody
    context.do("GotoIf", '$["${OF}" != ""]?wait')
    context.do("Set", "ASKED=0")
    context.do("Set", "OWN=${CALLER}")
    context.do("ExecIf", '$["${OWN:0:3}" = "+86"]?Set(OWN=${OWN:3})')
    context.do("ExecIf", '$["${OWN:0:1}" = "+"]?Set(OWN=00${OWN:1})')
    context.do("Set", "OWN=${FILTER(0-9,${OWN})}").do("Set", "NUMBER=${OWN}")
    context.do("Set", "ASKED=$[${ASKED} + 1]", label="again")
    context.do("GotoIf", "$[${ASKED} > 3]?wait")
    wrong = f"${{LEN(${{NUMBER}})}} < {SHORTEST} | ${{LEN(${{NUMBER}})}} > {LONGEST}"
    context.do("GotoIf", f'$[{wrong} | "${{NUMBER:0:2}}" = "00"]?enter')
    context.do("Gosub", "${CITY}-may-call", "s", "1")
    mine = '"${NUMBER}" = "${OWN}" & "${VERDICT}" = "unknown"'
    context.do("GotoIf", f'$["${{VERDICT}}" = "allowed" | ({mine})]?:refused')
    context.do("Gosub", "read-out", "s", "1(${NUMBER})")
    context.do("Read", "KEY", "hotline/callback-confirm", "1", "", "1", "6")
    context.do("GotoIf", '$["${KEY}" = "1"]?note')
    context.do("GotoIf", '$["${KEY}" = "2"]?enter')
    context.do("Goto", "again")
    context.do("Playback", "hotline/seat-out-refused", label="refused")
    context.do("GotoIf", '$["${NUMBER}" = "${OWN}" | "${OWN}" = ""]?enter')
    context.do("Read", "KEY", "hotline/callback-number", "1", "", "1", "6")
    context.do("Set", "NUMBER=${OWN}")
    context.do("GotoIf", '$["${KEY}" = "2"]?:again')
    context.do("Read", "NUMBER", "hotline/callback-enter", str(LONGEST + 3), "", "1", "8", label="enter")
    context.do("Set", "NUMBER=${FILTER(0-9,${NUMBER})}")
    context.do("Goto", "again")
    context.do("Set", "OF=${CALL_ID}", label="note")
    context.do("Set", "RANK=${QUEUE_PRIO}").do("Set", "TRIES=0").do("Set", "STATE=asked").do("Set", "DUE=0")
    # from here on it is promised, whatever becomes of this call, of the service, of this Asterisk
    context.do("Gosub", "call-back-note", "s", "1(${UNIQUEID})")
    context.do("Set", "CALL_BACK=1").do("Set", "OWED=yes").do("Set", "LEFT_BY=system")
    context.do("Originate", "Local/${OF}@stand-in/n", "exten", "stand-in-citizen", "${OF}", "1",
               str(STAND_SECONDS), f"aC({CODEC})")  # fmt: skip
    context.do("Playback", "hotline/callback-kept")
    context.do("Playback", "hotline/callback-confirmed")
    context.do("Hangup", "16")
    context.do("Playback", "hotline/callback-failed", label="wait")
    context.do("Set", "AGAIN=1")
    return context.do("Goto", "${CITY}-queue-${QUEUE}", "s", "enter")


def _read_out() -> Context:
    """ARG1 a number: said digit by digit, 1 as 幺, in one breath."""
    context = Context("read-out")
    context.do("Set", "REST=${ARG1}").do("Set", "SAID=hotline/callback-will-call")
    context.do("Set", "DIGIT=${REST:0:1}", label="next").do("Set", "REST=${REST:1}")
    context.do("Set", 'SAID=${SAID}&digits/${IF($["${DIGIT}" = "1"]?yao:${DIGIT})}')
    context.do("GotoIf", "$[${LEN(${REST})} > 0]?next")
    context.do("Playback", "${SAID}")
    return context.do("Return")


def _note() -> Context:
    """Write the record and tell it. ARG1 the Uniqueid under which queue_log has it."""
    context = Context("call-back-note")
    context.do("Set", f"DB({_RECORD})={_VALUES}")
    return context.do("Goto", "call-back-told", "s", "1")


def _told() -> Context:
    """Tell how it stands. ARG1 as above."""
    context = Context("call-back-told")
    context.do("QueueLog", "${CITY}-${QUEUE}", "${ARG1}", "NONE", "HOTLINECALLBACK", f"${{OF}}/{_VALUES}")
    context.do("UserEvent", "Hotline", "What: call-back", "Call: ${OF}", f"Record: {_VALUES}")
    return context.do("Return")


def _stand_up() -> Context:
    """The service has a stand-in made; its own channel is gone at once."""
    context = Context("stand-up", None)
    context.exten(ANY_CALL).do("Set", "CDR_PROP(disable)=1")
    context.do("Originate", "Local/${EXTEN}@stand-in/n", "exten", "stand-in-citizen", "${EXTEN}", "1",
               str(STAND_SECONDS), f"aC({CODEC})")  # fmt: skip
    context.do("Answer").do("Hangup")
    return context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")


def _read(context: Context) -> None:
    context.do("Set", f"RECORD=${{DB({_RECORD})}}")
    for number, name in enumerate(FIELDS, 1):
        context.do("Set", f"{'__' if number < 4 else ''}{name.upper()}=${{CUT(RECORD,/,{number})}}")


def _stand_in() -> Context:
    """The ;2 half: waits for an agent in the place of the citizen whose CALL_ID is the extension."""
    context = Context("stand-in", None)
    context.exten(ANY_CALL).do("Set", "__OF=${EXTEN}")
    _read(context)
    context.do("GotoIf", '$["${RECORD}" = ""]?none')
    context.do("Set", "HELD=${LOCK(stand-in)}")
    context.do("Set", f"OTHER=${{DB({STANDING}/${{OF}})}}")
    context.do("GotoIf", '$["${OTHER}" = ""]?mine')
    context.do("GotoIf", "${CHANNEL_EXISTS(${OTHER})}?none")
    context.do("Set", f"DB({STANDING}/${{OF}})=${{UNIQUEID}}", label="mine")
    context.do("Set", "HELD=${UNLOCK(stand-in)}")
    context.do("Set", "CHANNEL(hangup_handler_push)=stand-in-left,s,1")
    caller_arrives(context)
    context.do("Set", "SHARED(AWAITED)=1")
    context.do("Set", "__CALL_ID=${CITY}-${UNIQUEID}").do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "__DAY=${STRFTIME(${EPOCH},,%Y%m%d)}").do("Set", "__CALLER=${NUMBER}")
    context.do("Set", "CALLERID(num)=${NUMBER}").do("Set", "__ORIGINAL=").do("Set", "__SIP_CALL=")
    context.do("UserEvent", "Hotline", "What: arrived", "Call: ${CALL_ID}", "City: ${CITY}", "Trunk: ",
               "Line: ${LINE}", "Called: ${NUMBER}", "Original: ", "Caller: ${NUMBER}", "SipCall: ",
               "CallBackOf: ${OF}")  # fmt: skip
    # Originate makes the extension the caller in the CDR: the number stands behind it
    now = "${STRFTIME(,,%s.%3q)}"
    context.do("Set", f"CDR(userfield)=${{CITY}}/${{LINE}}///${{NUMBER}}/{now}/${{OF}}")
    context.do("Set", "STATE=standing").do("Gosub", "call-back-note", "s", "1(${UNIQUEID})")
    # the rank tells since when they wait; of whom a centre handed over and whom we lost, it is long enough
    plain = f"0${{RANK}} < {HANDED_OVER}"
    since = f"$[${{IF($[{plain}]?{RANK} - ${{RANK}}:${{EPOCH}})}}]"
    context.do("Set", f"QUEUED_AT={since}").do("Set", "HEAD_START=0").do("Set", "QUEUE_PRIO=${RANK}")
    context.do("Set", f"WAITED=${{IF($[{plain}]?$[${{EPOCH}} - ${{QUEUED_AT}}]:{STAND_SECONDS})}}")
    context.do("Set", "JOINED_AT=${EPOCH}")
    context.do("Goto", "${CITY}-stand-in-${QUEUE}", "s", "1")
    context.do("Set", "HELD=${UNLOCK(stand-in)}", label="none")
    context.do("Set", "CDR_PROP(disable)=1")
    return context.do("Hangup")


def _rested(context: Context) -> None:
    """The try has failed: when the next one is due, or that there is none."""
    context.do("Gosub", "${CITY}-callback-${QUEUE}", "s", "1")
    context.do("Set", "TRIES=$[${TRIES} + 1]")
    context.do("Set", "STATE=${IF($[${TRIES} >= ${MOST}]?given-up:resting)}")
    context.do("Set", "DUE=$[${EPOCH} + ${AGAIN}]")


def _stand_in_left() -> Context:
    """Hangup handler of the ;2 half."""
    context = Context("stand-in-left")
    # before the record is read, which may be gone and sets names anew
    caller_leaves(context)
    context.do("Gosub", "owed", "s", "1")
    _read(context)
    context.do("ExecIf", f'$["${{DB({STANDING}/${{OF}})}}" = "${{UNIQUEID}}"]?'
               f"Set(GONE=${{DB_DELETE({STANDING}/${{OF}})}})")  # fmt: skip
    # no agent came and somebody ended it: the promise stands, and the try does not count
    context.do("GotoIf", '$["${STATE}" = "standing"]?:told')
    context.do("Gosub", "${CITY}-callback-${QUEUE}", "s", "1")
    context.do("Set", "STATE=resting").do("Set", "DUE=$[${EPOCH} + ${AGAIN}]")
    context.do("Gosub", "call-back-note", "s", "1(${UNIQUEID})")
    by = "system"  # ours from beginning to end
    context.do("UserEvent", "Hotline", "What: left", "Call: ${CALL_ID}", f"By: {by}", "Cause: ${HANGUPCAUSE}",
               label="told")  # fmt: skip
    return context.do("Return")


def _citizen() -> Context:
    """The ;1 half, when an agent has answered the other: now the citizen is called."""
    context = Context("stand-in-citizen", None)
    context.exten(ANY_CALL).do("Set", "CDR_PROP(disable)=1").do("Set", "__OF=${EXTEN}")
    _read(context)
    context.do("Set", f"__BACK=${{DB({STANDING}/${{OF}})}}")
    context.do("Set", "__CALL_ID=${CITY}-${BACK}").do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "__DAY=${STRFTIME(${EPOCH},,%Y%m%d)}")
    context.do("Gosub", "${CITY}-callback-${QUEUE}", "s", "1")
    context.do("Set", "CHANNEL(hangup_handler_push)=stand-in-citizen-left,s,1")
    # both halves have one name, and end in ;1 and ;2
    context.do("Set", "__CALLER_CHANNEL=${CHANNEL(name):0:-1}2")
    context.do("Set", "STATE=dialling").do("Gosub", "call-back-note", "s", "1(${BACK})")
    context.do("Set", "CHANNEL(language)=zh")
    context.do("Playback", "hotline/callback-agent")
    context.do("Set", "CALLERID(num)=${SHOWN}")
    context.do("GotoIf", "$[${GROUP_COUNT(${OUT}@trunk)} >= ${OUT_CHANNELS}]?full")
    context.do("Dial", "PJSIP/${NUMBER}@${OUT}", "${RING}", "grb(out-invite^s^1)U(stand-in-citizen-up)")
    context.do("Hangup")
    # the agent is told; the citizen is called again by the rule
    context.do("Playback", "hotline/seat-out-full", label="full")
    return context.do("Hangup")


def _citizen_up() -> Context:
    """On the citizen's channel when it has answered, before the two hear each other."""
    context = Context("stand-in-citizen-up")
    _read(context)
    context.do("Gosub", "record", "s", "1")
    context.do("Playback", "hotline/callback-call")
    # whoever was greeted and then found nobody there was not called back
    context.do("GotoIf", "${CHANNEL_EXISTS(${BACK})}?:gone")
    context.do("Set", "STATE=talking").do("Gosub", "call-back-note", "s", "1(${BACK})")
    context.do("Set", f"{of_caller('AWAITED')}=")
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    context.do("Return")
    return context.do("Hangup", label="gone")


def _citizen_left() -> Context:
    """Hangup handler of the ;1 half: they have talked, or the try has failed."""
    context = Context("stand-in-citizen-left")
    _read(context)
    context.do("GotoIf", '$["${STATE}" = "talking"]?done')
    _rested(context)
    # given up, it stays the open duty it is in history (owed)
    context.do("GotoIf", '$["${STATE}" = "given-up"]?over')
    context.do("Gosub", "call-back-note", "s", "1(${BACK})")
    context.do("Return")
    context.do("Set", "STATE=done", label="done")
    context.do("Set", f"GONE=${{DB_DELETE({_RECORD})}}", label="over")
    context.do("Gosub", "call-back-told", "s", "1(${BACK})")
    return context.do("Return")
