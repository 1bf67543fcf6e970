"""Transfers in dialplan alone: begun by a key on the phone, an order, or the phone's own REFER, they finish
with the service dead.

Caller, agent and whoever is asked meet in a conference room named by CALL_ID. Agent and target are marked
in it; the caller goes where the last marked one leaves (``end_marked``): to the head of the queue, or out
when the talk was over. What goes on stands in variables of the caller's channel (SHARED):

- TRANSFER ``<kind>:<to>:<id>`` while a transfer is under way; kind is blind, consult, three or handoff.
- AGENT_IN, TARGET_IN, TARGET_JOINED, HANDED: who is there. An agent's and a target's leg say in their
  hangup handlers that they are gone, and whoever is the last moves the caller: each first says so and then
  looks, so of two at one instant at least one sees both.
- AGENT, TARGET: their channels; DIALLING: the channel that dials the target.
- AWAY: counts how often an agent was led out of a talk; the caller's AWAY_SEEN says how far it followed.
  (TRANSFER may be empty again: a busy colleague refuses before the caller has looked.)
- WHERE: ``room`` as long as the caller is there, ``hold`` while the agent asks a colleague; READY: somebody
  is in the room again. A channel of its own looks each second whether somebody else is too,
  or comes (``transfer-watch``): two who go at one instant may both have counted on the other.

Every step is told: UserEvent ``What: transfer``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asterisk_conf.masking import MASK_KEYS, mask_features
from asterisk_conf.seat_leg import GONE, HEAD, cause_is
from asterisk_conf.site import Site
from asterisk_conf.steps import Context
from plan.model import Plan
from plan.reach import Contact, Way

KINDS = ("blind", "consult", "three", "handoff")
KEYS = {"blind": "*81", "consult": "*82", "three": "*83", "together": "*84"}
"""Keys while talking; the number is asked for. ``*`` and a centre's number hands over to it at once."""
TAKE_BACK = "*80"
FROM_CENTRE = HEAD // 2
"""QUEUE_PRIO of a call that a centre handed over: before everybody but callers whom we lost."""
SEAT_SECONDS = 25
WATCH = "transfer-watch"
ALONE = 2
"""Looks, a second apart, after which a caller whom nobody is with goes to the head of the queue."""
_CALLER = "${CALLER_CHANNEL}"


_LED = "0${SHARED(AWAY)} != 0${AWAY_SEEN}"


def _of_caller(name: str) -> str:
    return f"SHARED({name},{_CALLER})"


def _tell(context: Context, step: str, *headers: str, label: str = "") -> Context:
    told = ("Call: ${CALL_ID}", "Id: ${TRANSFER_ID}", f"Step: {step}", *headers)
    return context.do("UserEvent", "Hotline", "What: transfer", *told, label=label)


def room_profiles() -> str:
    """For confbridge.conf."""
    return "".join(
        f"[transfer-{name}]\ntype = user\nquiet = yes\n{options}\n"
        for name, options in (
            ("marked", "marked = yes\nmusic_on_hold_when_empty = no\n"),
            ("caller", "end_marked = yes\nmusic_on_hold_when_empty = no\n"),
        )
    )


def features(plans: Sequence[Plan]) -> str:
    """For features.conf: the keys of an agent who is talking."""
    centres = sorted({name for plan in plans for name in plan.centres})
    keys = [(f"to{name}", f"*{name}", f"handoff,{name}") for name in centres]
    keys += [(kind, key, f"{kind},") for kind, key in KEYS.items()]
    lines = [f"{name} => {key},self,Gosub(transfer-key,s,1({what}))\n" for name, key, what in keys]
    lines += mask_features()
    return f"\n[featuremap]\ndisconnect => {TAKE_BACK}\n\n[applicationmap]\n{''.join(lines)}"


# --- hooks in what was there before -------------------------------------------------------------


def caller_arrives(context: Context) -> None:
    """On the caller's channel at its beginning."""
    context.do("Set", "__CALLER_CHANNEL=${CHANNEL(name)}")


def seat_talks(context: Context) -> None:
    """On the seat's channel when it has answered, before the two hear each other."""
    # who talked to this caller before left no cause of this talk's end
    context.do("Set", "MASTER_CHANNEL(SEAT_LEFT)=")
    context.do("Set", "GLOBAL(LEG_${CHANNEL(endpoint)})=${CHANNEL(name)}")
    context.do("Set", f"GLOBAL(CALLER_OF_${{CHANNEL(endpoint)}})={_CALLER}")
    for name in ("CALL_ID", "CALLER", "DAY", "QUEUE"):
        context.do("Set", f"{_of_caller(name)}=${{{name}}}")
    context.do("Set", "DYNAMIC_FEATURES=${GLOBAL(TRANSFER_KEYS)}")
    # a blind REFER of the phone leads the caller there
    context.do("Set", "TRANSFER_CONTEXT=${CITY}-transfer")
    # from now on, not from the transfer on: a phone may be put down between the wish and its first step
    context.do("Set", "CHANNEL(hangup_handler_push)=transfer-agent-gone,s,1")


def moved_on(context: Context) -> None:
    """On the caller's channel when it fell out of a talk: was it transferred?"""
    context.do("GotoIf", f'$["${{SHARED(TRANSFER)}}" != "" | {_LED}]?transfer-caller,s,1')


def caller_leaves(context: Context) -> None:
    """Hangup handler of the caller: nobody stays behind alone in the room."""
    context.do("GosubIf", '$["${ROOM}" != ""]?transfer-room-ends,s,1')


def keys_global(plans: Sequence[Plan]) -> str:
    """The global TRANSFER_KEYS: names of the application map."""
    centres = sorted({name for plan in plans for name in plan.centres})
    return "#".join([*(f"to{name}" for name in centres), *KEYS, *MASK_KEYS])


# --- of one city --------------------------------------------------------------------------------


def city_transfer_contexts(plan: Plan) -> Iterator[Context]:
    """Whom agents of this city may reach: ``<city>-to`` persons, ``<city>-to-place`` queues."""
    to = Context(f"{plan.id}-to", None)
    ways = Context(f"{plan.id}-way", None)
    for seat in plan.seats:
        to.exten(seat)
        who = f"PJSIP/{plan.id}-{seat}"
        to.do("Dial", who, str(SEAT_SECONDS), "${TO_OPTIONS}b(seat-leg^s^1)U(transfer-seat-up)")
        to.do("Return")
    for number, centre in plan.centres.items():
        legs = "&".join(f"Local/{number}w{i}@{plan.id}-way/n" for i in range(1, len(centre.ways) + 1))
        to.exten(number).do("Dial", legs, str(centre.ring_seconds), "${TO_OPTIONS}U(transfer-up)")
        to.do("Return")
        for i, way in enumerate(centre.ways, 1):
            wait = (i - 1) * centre.next_after_seconds
            free = 0 if centre.kind != "emergency" else _free(plan, way, emergency=True)
            free = free or _free(plan, way, emergency=False)
            _way(ways.exten(f"{number}w{i}"), plan, way, i, wait, centre.ring_seconds, free)
    for number, contact in plan.contacts.items():
        to.exten(number)
        to.do("Dial", f"Local/{number}w1@{plan.id}-way/n", str(contact.ring_seconds),
              "${TO_OPTIONS}U(transfer-up)").do("Return")  # fmt: skip
        _way(ways.exten(f"{number}w1"), plan, contact, 1, 0, contact.ring_seconds,
             _free(plan, contact, emergency=False))  # fmt: skip
    yield to
    yield ways
    place = Context(f"{plan.id}-to-place", None)
    for queue in plan.queues:
        place.exten(f"queue-{queue}").do("Goto", f"{plan.id}-queue-{queue}", "s", "enter")
    for line in plan.lines.values():
        kind, _, name = line.first.partition(":")
        if kind == "queue":
            for number in line.numbers:
                if number not in plan.centres:
                    place.exten(number).do("Set", f"__QUEUE={name}")
                    place.do("Goto", f"{plan.id}-queue-{name}", "s", "enter")
    yield place
    numbers = Context(f"{plan.id}-from-centre", None)
    for name, centre in plan.centres.items():
        for number in centre.numbers:
            _is_centre(numbers.exten(number), name, centre.queue).do("Return")
    yield numbers
    refer = Context(f"{plan.id}-transfer", None).exten("_[+0-9*]!")
    refer.do("Set", "TO=${FILTER(0-9,${EXTEN})}")
    refer.do("Set", "SHARED(TRANSFER)=blind:${TO}:${UNIQUEID}.${EPOCH}")
    yield refer.do("Goto", "transfer-caller", "s", "refer")


def _is_centre(context: Context, name: str, queue: str) -> Context:
    return context.do("Set", f"__CENTRE={name}").do("Set", f"CENTRE_QUEUE={queue}")


def centre_arrives(context: Context, plan: Plan, trunk: str) -> None:
    """On the caller's channel when it arrived: does a centre hand it over? Then it goes before others, and
    where the centre has a queue of its own, straight there."""
    context.do("Set", "CENTRE_QUEUE=")
    own = [(name, centre) for name, centre in plan.centres.items() if trunk in centre.calls_from]
    if len(own) == 1:
        _is_centre(context, own[0][0], own[0][1].queue)
    else:
        known = f"${{DIALPLAN_EXISTS({plan.id}-from-centre,${{CALLER}},1)}}"
        context.do("GosubIf", f"{known}?{plan.id}-from-centre,${{CALLER}},1").do("NoOp", "by number")
    context.do("GosubIf", '$["${CENTRE}" != ""]?transfer-to-us,s,1')
    context.do("GotoIf", f'$["${{CENTRE_QUEUE}}" != ""]?{plan.id}-queue-${{CENTRE_QUEUE}},s,1')


def _to_us() -> Context:
    """CENTRE hands over: X-Case-Number is its own number of the case."""
    context = Context("transfer-to-us")
    context.do("Set", f"QUEUE_PRIO={FROM_CENTRE}")
    context.do("Set", "__CASE=${FILTER(A-Za-z0-9\\-,${PJSIP_HEADER(read,X-Case-Number)})}")
    context.do("Set", "__CASE=${CASE:0:40}")
    context.do("UserEvent", "Hotline", "What: handed-to-us", "Call: ${CALL_ID}", "Centre: ${CENTRE}",
               "Case: ${CASE}", "Trunk: ${TRUNK}", "Caller: ${CALLER}")  # fmt: skip
    context.do("GotoIf", '$["${CENTRE_QUEUE}" = ""]?line')
    # a person who was with the police a moment ago is greeted by a person
    context.do("Answer")
    context.do("Gosub", "record", "s", "1")
    context.do("UserEvent", "Hotline", "What: greeted", "Call: ${CALL_ID}")
    return context.do("Return", label="line")


def _free(plan: Plan, way: Way | Contact, *, emergency: bool) -> int:
    """How many calls the trunk may have when this one is made."""
    trunk = plan.trunks[way.trunk]
    return trunk.channels if emergency else trunk.channels - trunk.reserved


def _way(
    context: Context, plan: Plan, way: Way | Contact, number: int, wait: int, ring: int, free: int
) -> None:
    """One way to a centre, on a Local channel of its own."""
    trunk = f"{plan.id}-{way.trunk}"
    context.do("Gosub", "transfer-way", "s", f"1({number},{wait},{trunk},{free},{way.number})")
    context.do("GotoIf", '$["${GOSUB_RETVAL}" = "full"]?full')
    context.do("Dial", f"PJSIP/{way.number}@{trunk}", str(ring),
               f"b(transfer-invite^s^1({number}^{trunk}^{way.number}))U(transfer-way-up)")  # fmt: skip
    context.do("Set", f"{_of_caller('WAY_FAILED')}={number}", label="full")
    _tell(context, "skipped", f"Way: {number}", f"Trunk: {trunk}", f"Number: {way.number}",
          "Cause: ${HANGUPCAUSE}", "Status: ${DIALSTATUS}")  # fmt: skip
    context.do("Hangup", "${HANGUPCAUSE}")


# --- shared -------------------------------------------------------------------------------------


def transfer_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _key()
    yield _go()
    yield _target()
    yield _joins()
    yield _agent()
    yield _caller()
    yield _why()
    yield _blind()
    yield _back()
    yield _up()
    yield _seat_up()
    yield _way_up()
    yield _invite()
    yield _wait_for_turn()
    yield _watch()
    yield _agent_gone()
    yield _target_gone()
    yield _room_ends()
    yield _to_us()


def _key() -> Context:
    """A key on an agent's phone while talking. ARG1 what, ARG2 the target (empty: asked for).

    It runs in the talk's own bridge, which it must not take apart from inside: a Local channel does that.
    """
    context = Context("transfer-key")
    context.do("Set", "TO=${ARG2}")
    context.do("GotoIf", '$["${TO}" != "" | "${ARG1}" = "together"]?go')
    context.do("Read", "TO", "beep", "15", "", "1", "4")
    context.do("Set", "ENDPOINT=${CHANNEL(endpoint)}", label="go")
    known = {
        "CITY": "${CUT(ENDPOINT,-,1)}",
        "SEAT": "${CUT(ENDPOINT,-,2)}",
        "KIND": "${ARG1}",
        "TO": "${FILTER(0-9,${TO})}",
        "BY": "phone",
        # a phone with two talks means the one it keys in
        "SEAT_CHANNEL": "${CHANNEL(name)}",
        "__CALLER_CHANNEL": "${CALLER_CHANNEL}",
    }
    told = "^".join(f"{name}={value}" for name, value in known.items())
    context.do("Originate", "Local/s@transfer-go/n", "app", "NoOp", "", "", "5", f"av({told})")
    return context.do("Return")


def _go() -> Context:
    """The ;2 half of a Local channel, made by a key or an order. CITY, SEAT, KIND, TO, BY, and ORDER for
    an order. Answered means begun; else AstDB ``hotline-order/<order>`` says why not."""
    context = Context("transfer-go")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("GotoIf", '$["${SEAT_CHANNEL}" != ""]?known')
    context.do("Set", "SEAT_CHANNEL=${GLOBAL(LEG_${CITY}-${SEAT})}")
    context.do("Set", "__CALLER_CHANNEL=${GLOBAL(CALLER_OF_${CITY}-${SEAT})}")
    context.do("NoOp", "who talks to whom", label="known")
    context.do("Set", "WHY=no-call")
    context.do("GotoIf", '$["${SEAT_CHANNEL}" = "" | "${CALLER_CHANNEL}" = ""]?no')
    context.do("GotoIf", "$[${CHANNEL_EXISTS(${SEAT_CHANNEL})} & ${CHANNEL_EXISTS(${CALLER_CHANNEL})}]?:no")
    context.do("Set", f"__CALL_ID=${{{_of_caller('CALL_ID')}}}")
    # a key and a click in one moment: the second finds the first under way
    context.do("Set", "HELD=${LOCK(transfer-${CALL_ID})}")
    # The key's Gosub may not have come back yet, and its Return() would undo where the agent is sent (seen
    # on 22.10: every third time).
    context.do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="keyed")
    context.do("GotoIf", '$["${IMPORT(${SEAT_CHANNEL},CONTEXT)}" != "transfer-key" | ${LOOKS} > 40]?free')
    context.do("Wait", "0.05").do("Goto", "keyed")
    context.do("NoOp", "nobody keys", label="free")
    context.do("Set", f"MOVE=${{{_of_caller('TRANSFER')}}}")
    context.do("GotoIf", '$["${KIND}" = "takeback" | "${KIND}" = "together" | "${KIND}" = "leave"]?${KIND}')
    context.do("Set", "WHY=under-way")
    context.do("GotoIf", f'$["${{MOVE}}" != "" & "${{{_of_caller("HANDED")}}}" != "1"]?no')
    context.do("Set", "WHY=not-allowed")
    context.do("GotoIf", '$["${TO}" = "" | "${TO}" = "${SEAT}"]?no')
    context.do("GotoIf", '$["${KIND}" = "blind" & ${DIALPLAN_EXISTS(${CITY}-to-place,${TO},1)}]?good')
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to,${TO},1)}?:no")
    context.do("Set", '__TRANSFER_ID=${IF($["${ORDER}" = ""]?${UNIQUEID}:${ORDER})}', label="good")
    context.do("Set", f"{_of_caller('HANDED')}=0").do("Set", f"{_of_caller('TARGET_IN')}=0")
    context.do("Set", f"{_of_caller('TARGET_JOINED')}=0").do("Set", f"{_of_caller('AGENT_IN')}=1")
    context.do("Set", f"{_of_caller('WAY_FAILED')}=0").do("Set", f"{_of_caller('DIALLING')}=")
    context.do("Set", f"{_of_caller('AGENT_CAUSE')}=")
    context.do("Set", f"{_of_caller('AGENT')}=${{SEAT_CHANNEL}}").do("Set", f"{_of_caller('TARGET')}=")
    context.do("Set", f"{_of_caller('TRANSFER')}=${{KIND}}:${{TO}}:${{TRANSFER_ID}}")
    context.do("GotoIf", '$["${KIND}" = "blind"]?blind')
    context.do("GotoIf", '$["${KIND}" = "consult"]?asks')
    away = f"{_of_caller('AWAY')}=$[0${{{_of_caller('AWAY')}}} + 1]"
    # the centre's phone rings before anybody is moved
    inherit = "^".join(
        f"__{name}=${{{value}}}"
        for name, value in (
            ("CALL_ID", "CALL_ID"),
            ("CITY", "CITY"),
            ("TO", "TO"),
            ("TRANSFER_ID", "TRANSFER_ID"),
            ("CALLER_CHANNEL", "CALLER_CHANNEL"),
            ("CALLER", _of_caller("CALLER")),
            ("DAY", _of_caller("DAY")),
            ("QUEUE", _of_caller("QUEUE")),
        )
    )
    context.do("Originate", "Local/s@transfer-target/n", "exten", "transfer-joins", "s", "1", "310",
               f"av({inherit})")  # fmt: skip
    _told_asked(context)
    # both in the room already, from a transfer that came to nothing: they stay there
    context.do("GotoIf", f'$["${{{_of_caller("WHERE")}}}" = "room"]?done')
    context.do("Set", away).do("ChannelRedirect", "${SEAT_CHANNEL}", "transfer-agent", "room", "1")
    context.do("Answer", label="done").do("Hangup")
    _told_asked(context, label="asks")
    context.do("Set", away).do("Set", f"{_of_caller('READY')}=")
    context.do("ChannelRedirect", "${SEAT_CHANNEL}", "transfer-agent", "consult", "1")
    context.do("Goto", "done")
    _told_asked(context, label="blind")
    context.do("SoftHangup", "${SEAT_CHANNEL}").do("Goto", "done")
    # the agent breaks off: who is being dialled is left alone
    context.do("Set", "WHY=not-under-way", label="takeback")
    context.do("GotoIf", '$["${MOVE}" = ""]?no')
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", f"{_of_caller('TRANSFER')}=")
    _tell(context, "taken-back")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "consult"]?askback')
    context.do("SoftHangup", f"${{{_of_caller('DIALLING')}}}").do("Goto", "done")
    context.do("ChannelRedirect", "${SEAT_CHANNEL}", "transfer-agent", "room", "1", label="askback")
    context.do("Goto", "done")
    # a consultation becomes three
    context.do("Set", "WHY=not-under-way", label="together")
    context.do("GotoIf", f'$["${{CUT(MOVE,:,1)}}" = "consult" & "${{{_of_caller("TARGET_IN")}}}" = "1"]?:no')
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", f"{_of_caller('TRANSFER')}=three:${{CUT(MOVE,:,2)}}:${{TRANSFER_ID}}")
    _tell(context, "together")
    context.do("ChannelRedirect", f"${{{_of_caller('TARGET')}}}", "transfer-joins", "s", "1")
    context.do("Goto", "done")
    # the agent leaves caller and target to each other; before somebody answered that would lose the caller
    context.do("GotoIf", f'$["${{MOVE}}" != "" & "${{{_of_caller("TARGET_IN")}}}" = "1"]?:no', label="leave")
    context.do("SoftHangup", "${SEAT_CHANNEL}").do("Goto", "done")
    context.do("ExecIf", '$["${ORDER}" != ""]?Set(DB(hotline-order/${ORDER})=${WHY})', label="no")
    context.do("Hangup", "21")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _told_asked(context: Context, label: str = "") -> None:
    _tell(context, "asked", "City: ${CITY}", "Seat: ${SEAT}", "Kind: ${KIND}", "To: ${TO}", "By: ${BY}",
          f"Caller: ${{{_of_caller('CALLER')}}}", "Agent: ${DB(hotline-seat/${CITY}/${SEAT})}",
          label=label)  # fmt: skip


def _target() -> Context:
    """Dials somebody into the room."""
    context = Context("transfer-target")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", f"{_of_caller('DIALLING')}=${{CHANNEL(name)}}")
    context.do("Set", "TO_OPTIONS=")
    context.do("Gosub", "${CITY}-to", "${TO}", "1")
    context.do("GotoIf", '$["${DIALSTATUS}" = "ANSWER"]?over')
    context.do("GotoIf", f'$["${{CUT(SHARED(TRANSFER,{_CALLER}),:,3)}}" = "${{TRANSFER_ID}}"]?:over')
    # they go on talking without
    context.do("Set", f"{_of_caller('TRANSFER')}=")
    _tell(context, "refused", "Status: ${DIALSTATUS}", "Cause: ${HANGUPCAUSE}")
    return context.do("Hangup", label="over")


def _joins() -> Context:
    """Who was asked comes into the room. Only while the caller, and this transfer, is still there."""
    context = Context("transfer-joins")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over")
    context.do("GotoIf", f'$["${{CUT(SHARED(TRANSFER,{_CALLER}),:,3)}}" = "${{TRANSFER_ID}}"]?:over')
    # recorded where it speaks, on its own leg (transfer-seat-up, transfer-way-up): this may be a Local one
    context.do("Set", f"{_of_caller('TARGET_JOINED')}=1")
    _tell(context, "joined")
    _bring_caller(context)
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-marked")
    return context.do("Hangup", "16", label="over")


def _bring_caller(context: Context) -> None:
    """Somebody comes into the room: the caller too. Each says first and then looks, so one of them sees."""
    context.do("Set", f"{_of_caller('READY')}=1")
    context.do("ExecIf", f'$["${{{_of_caller("WHERE")}}}" = "hold"]?'
               "ChannelRedirect(${CALLER_CHANNEL},transfer-caller,comes,1)")  # fmt: skip


def _agent() -> Context:
    """The agent's channel, out of the talk."""
    context = Context("transfer-agent", None)
    context.exten("room")
    context.do("Gosub", "transfer-agent", "watched", "1")
    # the caller left meanwhile: nobody to talk to
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over")
    _bring_caller(context)
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-marked")
    context.do("Hangup", "16", label="over")
    context.exten("consult")
    context.do("Gosub", "transfer-agent", "watched", "1")
    context.do("Set", f"MOVE=${{{_of_caller('TRANSFER')}}}")
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    # F: when the agent hangs up, the colleague goes to the caller; g: else the agent does
    context.do("Set", "TO_OPTIONS=HgF(transfer-joins^s^1)")
    context.do("Gosub", "${CITY}-to", "${CUT(MOVE,:,2)}", "1")
    context.do("GotoIf", f'$["${{{_of_caller("TRANSFER")}}}" = "${{MOVE}}"]?:room,1')
    _tell(context, "refused", "Status: ${DIALSTATUS}", "Cause: ${HANGUPCAUSE}")
    context.do("Set", f"{_of_caller('TRANSFER')}=")
    context.do("Goto", "room", "1")
    context.exten("watched")
    context.do("Set", f"{_of_caller('AGENT_IN')}=1")
    context.do("Set", "WATCHED=1")
    return context.do("Return")


def _caller() -> Context:
    """The caller's channel, out of a talk: what the transfer means for it."""
    context = Context("transfer-caller")
    context.do("Set", "AWAY_SEEN=0${SHARED(AWAY)}")
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "blind"]?transfer-blind,s,1')
    context.do("Set", "ROOM=${CALL_ID}")
    context.do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", "SHARED(WHERE)=hold").do("Set", "SHARED(WATCH)=$[0${SHARED(WATCH)} + 1]")
    known = "^".join(f"__{n}=${{{n}}}" for n in ("CALLER_CHANNEL", "CALL_ID")) + "^MINE=${SHARED(WATCH)}"
    # never answered: as with the clock of seats, this ringing is its whole life
    context.do("Originate", f"Local/s@{WATCH}/n", "exten", WATCH, "1", "1", "86400", f"av({known})")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "consult" & "${SHARED(READY)}" != "1"]?:enter')
    # While the agent asks a colleague; an emergency never consults. ConfBridge's own music mutes its
    # listener, and MixMonitor then gets no sound to write (seen on 22.10): files would fall out of step.
    context.do("MusicOnHold", "", "14400")
    context.do("Set", "SHARED(WHERE)=room", label="enter")
    context.do("ConfBridge", "${CALL_ID}", "default_bridge", "transfer-caller")
    context.do("Set", "SHARED(WHERE)=")
    context.do("Set", "NOW=${SHARED(TRANSFER)}")
    # the agent left the room to ask somebody, and may be back already
    context.do("GotoIf", f"$[{_LED}]?transfer-caller,s,1")
    context.do("GotoIf", '$["${NOW}" = ""]?ended')
    context.do("GotoIf", '$["${CUT(NOW,:,3)}" != "${CUT(MOVE,:,3)}"]?transfer-caller,s,1')
    # handed over and talked to the end: only a centre's caller comes back
    context.do("GotoIf", '$["${SHARED(HANDED)}" = "1" & "${CUT(NOW,:,1)}" != "handoff"]?over')
    context.do("Goto", "transfer-back", "s", "1")
    context.do("Gosub", "transfer-why", "s", "1", label="over")
    context.do("GotoIf", f"$[{cause_is(GONE, 'SHARED(TARGET_CAUSE)')}]?transfer-back,s,1")
    context.do("Set", "LEFT_BY=agent")
    _tell(context, "over")
    context.do("Hangup", "16")
    # no transfer any more: the agent was the last and ended the talk, or the phone died
    context.do("Set", "LOOKS=0", label="ended")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="look")
    context.do("GotoIf", '$["${SHARED(AGENT_CAUSE)}" != "" | ${LOOKS} > 10]?known')
    context.do("Wait", "0.1").do("Goto", "look")
    # not the cause of some colleague who was asked before
    context.do("Set", "SEAT_LEFT=${SHARED(AGENT_CAUSE)}", label="known").do("Goto", "talked", "s", "known")
    # the phone's own REFER
    context.do("Set", "MOVE=${SHARED(TRANSFER)}", label="refer")
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}").do("Set", "BY=phone").do("Set", "KIND=blind")
    context.do("Set", "TO=${CUT(MOVE,:,2)}").do("Set", "SEAT=${CUT(CUT(MEMBERINTERFACE,/,2),-,2)}")
    _told_asked(context)
    context.do("Goto", "transfer-blind", "s", "1")
    context.exten("comes").do("Goto", "s", "enter")
    return context


def _why() -> Context:
    """The target's leg ends in a thread of its own: its handler says why (TARGET_CAUSE)."""
    context = Context("transfer-why")
    context.do("Set", "LOOKS=0")
    context.do("Set", "LOOKS=$[${LOOKS} + 1]", label="look")
    context.do("GotoIf", '$["${SHARED(TARGET_IN)}" != "1" | ${LOOKS} > 10]?known')
    context.do("Wait", "0.1").do("Goto", "look")
    return context.do("Return", label="known")


def _blind() -> Context:
    """The caller hears ringing until somebody answers; nobody does: the head of the queue."""
    context = Context("transfer-blind")
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    context.do("Set", "TO=${CUT(MOVE,:,2)}").do("Set", "__TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("Set", f"QUEUE_PRIO={HEAD}")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to-place,${TO},1)}?place")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${CITY}-to,${TO},1)}?:transfer-back,s,1")
    context.do("Set", "TO_OPTIONS=gr")
    context.do("Gosub", "${CITY}-to", "${TO}", "1")
    context.do("Set", "NOW=${SHARED(TRANSFER)}")
    context.do("GotoIf", '$["${DIALSTATUS}" != "ANSWER"]?transfer-back,s,1')
    # whoever answered passed the caller on
    context.do("GotoIf", f'$["${{NOW}}" != "" | {_LED}]?transfer-caller,s,1')
    context.do("Gosub", "transfer-why", "s", "1")
    context.do("GotoIf", f"$[{cause_is(GONE, 'SHARED(TARGET_CAUSE)')}]?transfer-back,s,1")
    context.do("Set", "LEFT_BY=agent")
    _tell(context, "over")
    context.do("Hangup", "16")
    context.do("Set", "SHARED(TRANSFER)=", label="place")
    _tell(context, "queued")
    return context.do("Goto", "${CITY}-to-place", "${TO}", "1")


def _back() -> Context:
    """Nobody is with the caller: the head of the queue. In an emergency it hears ringing, no music."""
    context = Context("transfer-back")
    context.do("Set", "MOVE=${SHARED(TRANSFER)}")
    context.do("Set", "SHARED(TRANSFER)=").do("Set", "SHARED(WHERE)=")
    context.do("ExecIf", '$["${SHARED(DIALLING)}" != ""]?SoftHangup(${SHARED(DIALLING)})')
    _tell(context, "back")
    context.do("Set", f"QUEUE_PRIO={HEAD}")
    context.do("GotoIf", '$["${CUT(MOVE,:,1)}" = "handoff"]?urgent')
    # short: until it is over the caller is in no queue
    context.do("Playback", "hotline/please-wait")
    context.do("Goto", "${CITY}-queue-${QUEUE}", "s", "enter")
    context.do("Gosub", "seat-wind", "s", "1", label="urgent")
    context.do("Queue", "${CITY}-${QUEUE}", "crib(seat-leg^s^1)", "", "", "600")
    context.do("Gosub", "queued-out", "s", "1(${QUEUE})")
    context.do("GotoIf", '$["${QUEUESTATUS}" = "CONTINUE"]?talked,s,1')
    # a person in danger is not sent to a machine
    return context.do("Goto", "urgent")


def _up() -> Context:
    """On the target's channel when it has answered, before anybody hears it."""
    context = Context("transfer-up")
    context.do("Set", f"{_of_caller('TARGET')}=${{CHANNEL(name)}}")
    context.do("Set", f"{_of_caller('TARGET_CAUSE')}=0")
    context.do("Set", f"{_of_caller('TARGET_IN')}=1")
    context.do("Set", "CHANNEL(hangup_handler_push)=transfer-target-gone,s,1")
    context.do("Set", f"MOVE=${{{_of_caller('TRANSFER')}}}")
    # a blind transfer is over when somebody has answered
    context.do("ExecIf", f'$["${{CUT(MOVE,:,1)}}" = "blind"]?Set({_of_caller("TRANSFER")}=)')
    _tell(context, "answered")
    return context.do("Return")


def _seat_up() -> Context:
    context = Context("transfer-seat-up")
    context.do("Gosub", "seat-joined", "s", "1")
    context.do("Gosub", "transfer-up", "s", "1")
    return context.do("Return")


def _way_up() -> Context:
    """On the leg to the outside that was answered: which number it was; what is said there is recorded."""
    context = Context("transfer-way-up")
    context.do("Gosub", "record", "s", "1")
    _tell(context, "accepted", "Way: ${WAY}", "Trunk: ${WAY_TRUNK}", "Number: ${WAY_NUMBER}")
    return context.do("Return")


def _invite() -> Context:
    """On a leg to the outside before its INVITE leaves. ARG1 way, ARG2 trunk, ARG3 number."""
    context = Context("transfer-invite")
    context.do("Set", "WAY=${ARG1}").do("Set", "WAY_TRUNK=${ARG2}").do("Set", "WAY_NUMBER=${ARG3}")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "GROUP(trunk)=${ARG2}")
    context.do("Set", "PJSIP_HEADER(add,X-Hotline-Call)=${CALL_ID}")
    context.do("Set", "PJSIP_HEADER(add,X-Hotline-Handoff)=${TRANSFER_ID}")
    _tell(context, "dialled", "Way: ${ARG1}", "Trunk: ${ARG2}", "Number: ${ARG3}")
    return context.do("Return")


def _wait_for_turn() -> Context:
    """ARG1 way, ARG2 seconds it leaves to those before it, ARG3 trunk, ARG4 its channels, ARG5 number.

    Those before are never cut: a centre that rings slowly goes on ringing beside (decisions 9).
    """
    context = Context("transfer-way")
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    # the centre is to see who needs help, not our building (decisions 21)
    context.do("Set", "CALLERID(num)=${CALLER}").do("Set", "CALLERID(name)=")
    context.do("Set", "UNTIL=$[${EPOCH} + ${ARG2}]")
    context.do("GotoIf", "$[${ARG2} = 0]?turn")
    context.do("GotoIf", f"$[0${{{_of_caller('WAY_FAILED')}}} >= ${{ARG1}} - 1]?turn", label="look")
    context.do("GotoIf", "$[${EPOCH} >= ${UNTIL}]?turn")
    context.do("Wait", "0.1").do("Goto", "look")
    context.do("GotoIf", "$[${GROUP_COUNT(${ARG3}@trunk)} >= ${ARG4}]?full", label="turn")
    context.do("Return")
    context.do("Set", "DIALSTATUS=CHANUNAVAIL", label="full")
    return context.do("Return", "full")


def _watch() -> Context:
    """The net below all of it: a caller in the room has somebody there, or an agent who comes (back)."""
    context = Context(WATCH)
    context.do("Set", "CDR_PROP(disable)=1")
    context.do("Set", "ALONE=0", label="fine")
    context.do("Wait", "1", label="look")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:over")
    # the caller went on, perhaps into the room again with another watch
    mine = f'"${{{_of_caller("WATCH")}}}" = "${{MINE}}"'
    where = f"${{{_of_caller('WHERE')}}}"
    context.do("GotoIf", f'$[("{where}" = "room" | "{where}" = "hold") & {mine}]?:over')
    context.do("GotoIf", f'$[0${{CONFBRIDGE_INFO(marked,${{CALL_ID}})}} > 0 & "{where}" = "room"]?fine')
    context.do("GotoIf", f"${{CHANNEL_EXISTS(${{{_of_caller('AGENT')}}})}}?fine")
    context.do("Set", "ALONE=$[${ALONE} + 1]")
    context.do("GotoIf", f"$[${{ALONE}} < {ALONE}]?look")
    context.do("ChannelRedirect", "${CALLER_CHANNEL}", "transfer-back", "s", "1")
    context.do("Hangup", label="over")
    context.exten("1").do("Set", "CDR_PROP(disable)=1").do("Hangup")
    return context


def _agent_gone() -> Context:
    """Hangup handler of every seat that talked to a caller: had it begun a transfer?"""
    context = Context("transfer-agent-gone")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:empty")
    context.do("GotoIf", f'$["${{{_of_caller("AGENT")}}}" = "${{CHANNEL(name)}}"]?:done')
    context.do("Set", f"{_of_caller('AGENT_CAUSE')}=${{HANGUPCAUSE}}")
    context.do("Set", f"{_of_caller('AGENT_IN')}=0")
    context.do("Set", f"MOVE=${{{_of_caller('TRANSFER')}}}")
    context.do("GotoIf", '$["${MOVE}" = "" | "${CUT(MOVE,:,1)}" = "blind"]?done')
    context.do("Set", "TRANSFER_ID=${CUT(MOVE,:,3)}")
    context.do("GotoIf", f'$["${{{_of_caller("TARGET_IN")}}}" = "1"]?handed')
    _tell(context, "agent-left")
    context.do("ChannelRedirect", "${CALLER_CHANNEL}", "transfer-back", "s", "1")
    context.do("Return", label="done")
    context.do("Set", f"{_of_caller('HANDED')}=1", label="handed")
    _tell(context, "handed")
    context.do("Return")
    context.do("GotoIf", '$["${WATCHED}" = "1"]?:done', label="empty")
    context.do("CONFKICK", "${CALL_ID}", "all")
    return context.do("Return")


def _target_gone() -> Context:
    """Hangup handler of the target."""
    context = Context("transfer-target-gone")
    context.do("GotoIf", "${CHANNEL_EXISTS(${CALLER_CHANNEL})}?:empty")
    # whoever was asked has meanwhile asked somebody else, who is the target now
    context.do("GotoIf", f'$["${{{_of_caller("TARGET")}}}" = "${{CHANNEL(name)}}"]?:past')
    context.do("Set", f"{_of_caller('TARGET_CAUSE')}=${{HANGUPCAUSE}}")
    context.do("Set", f"{_of_caller('TARGET_IN')}=0")
    context.do("Set", f"MOVE=${{{_of_caller('TRANSFER')}}}")
    _tell(context, "target-left", "Cause: ${HANGUPCAUSE}")
    context.do("GotoIf", '$["${CUT(MOVE,:,3)}" != "${TRANSFER_ID}" | "${CUT(MOVE,:,1)}" = "consult"]?alone')
    # the agent is still with the caller
    context.do("ExecIf", f'$["${{{_of_caller("AGENT_IN")}}}" = "1"]?Set({_of_caller("TRANSFER")}=)')
    context.do("Return")
    # the agent has left already and this one never came into the room: the caller waits there for nobody
    here = '"${CUT(MOVE,:,3)}" = "${TRANSFER_ID}"'
    nobody = f'"${{{_of_caller("AGENT_IN")}}}" != "1" & "${{{_of_caller("TARGET_JOINED")}}}" != "1"'
    context.do("ExecIf", f"$[{here} & {nobody}]?ChannelRedirect(${{CALLER_CHANNEL}},transfer-back,s,1)",
               label="alone")  # fmt: skip
    context.do("Return", label="past")
    context.do("CONFKICK", "${CALL_ID}", "all", label="empty")
    return context.do("Return")


def _room_ends() -> Context:
    """The caller hung up. Agent and centre may finish what they say; a dialling goes on for nobody."""
    context = Context("transfer-room-ends")
    context.do("ExecIf", '$["${SHARED(DIALLING)}" != "" & "${SHARED(TARGET_IN)}" != "1"]'
               "?SoftHangup(${SHARED(DIALLING)})")  # fmt: skip
    context.do("GotoIf", "$[0${CONFBRIDGE_INFO(marked,${CALL_ID})} > 1]?done")
    context.do("CONFKICK", "${CALL_ID}", "all")
    return context.do("Return", label="done")
