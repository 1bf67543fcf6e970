"""Contexts that all cities share: arriving, recording, the question "where next?", the seat, leaving."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.addresses import ask_each, begin_behind, share_is_over
from asterisk_conf.callback import callback_contexts
from asterisk_conf.desk import move_waiter
from asterisk_conf.desk_leads import led_by_desk
from asterisk_conf.in_step import in_step
from asterisk_conf.masking import MASK_KEYS
from asterisk_conf.merged import origin_contexts
from asterisk_conf.outgoing import hide_caller, last_caller
from asterisk_conf.seat_leg import HEAD, cause_is, seat_leg_answered, seat_leg_begins
from asterisk_conf.site import Site
from asterisk_conf.spoken import spoken_contexts
from asterisk_conf.steps import Context, rests
from asterisk_conf.transfer import caller_arrives, seat_talks
from asterisk_conf.transfer_gone import caller_leaves
from asterisk_conf.transfer_room import moved_on
from asterisk_conf.transfer_state import IN_DANGER
from asterisk_conf.waiting import waiting_contexts
from calls.model import GONE
from plan.model import MAX_HOPS

HOPS_ALLOWED = MAX_HOPS + 2
"""The line, one more line by advice, and the longest walk a checked plan can have."""
MAX_ANSWER = 40
"""``message:`` and a name of 24 letters fit; anything longer is a lie."""
QUESTION = "ask-apart"
"""Context of the channels that ask for a caller; their names tell it: ``Local/s@ask-apart-0000002a;2``."""
CALL_FOLDER = "${DAY}/${CALL_ID}"
MESSAGE_FILE = f"{CALL_FOLDER}/${{UNIQUEID}}-message.wav"
"""What a caller leaves behind the last queue; recording.table.MESSAGE knows it by this name."""
ANSWER = r"a-z0-9:\-"
"""What a place is written with, for FILTER()."""
NOW = "${STRFTIME(,,%s.%3q)}"
"""Seconds since the epoch with milliseconds. Without a zone: any other than the machine's own shifts it."""
SIP_CALL = r"A-Za-z0-9@._+=~%!\-"
"""What is kept of a SIP Call-ID: no quotes, brackets, backslashes (RFC 3261 would allow them)."""


def shared_contexts(site: Site) -> Iterator[Context]:
    """All of them."""
    yield _arrive()
    yield from origin_contexts(site)
    yield _record(site)
    yield _hop()
    yield _ask(site)
    yield _question(site)
    yield _ask_nobody()
    yield from spoken_contexts(site)
    yield _queued_out()
    yield _talked()
    yield _seat_leg()
    yield _seat_joined(site)
    yield _left()
    yield _owed()
    yield from waiting_contexts()
    yield from callback_contexts()
    yield _consult()
    yield _consulted(site)
    yield _mask()


def _tell(context: Context, what: str, *headers: str, label: str = "") -> Context:
    return context.do("UserEvent", "Hotline", f"What: {what}", "Call: ${CALL_ID}", *headers, label=label)


def _arrive() -> Context:
    """ARG1 city, ARG2 trunk, ARG3 channels, ARG4 time zone. Sets CALL_ID, LINE (empty: none), ORIGINAL."""
    context = Context("arrive")
    context.do("Set", "CHANNEL(hangup_handler_push)=left,s,1")
    context.do("Set", "__CITY=${ARG1}")
    context.do("Set", "__TRUNK=${ARG2}")
    context.do("Set", "__CALL_ID=${ARG1}-${UNIQUEID}")
    caller_arrives(context)
    # accountcode too: it is in every event and in the CDR
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    context.do("Set", "__DAY=${STRFTIME(${EPOCH},${ARG4},%Y%m%d)}")
    context.do("Set", "__CALLER=${FILTER(+0-9,${CALLERID(num)})}")
    context.do("Set", f"__SIP_CALL=${{FILTER({SIP_CALL},${{CHANNEL(pjsip,call-id)}})}}")
    context.do("Gosub", "origin", "s", "1(${ARG4})")
    context.do("Gosub", "from-centre", "s", "1")
    _tell(
        context,
        "arrived",
        "City: ${CITY}",
        "Trunk: ${TRUNK}",
        "Line: ${LINE}",
        "Called: ${CALLED}",
        "Original: ${ORIGINAL}",
        "Caller: ${CALLER}",
        "SipCall: ${SIP_CALL}",
        "Merged: ${ROW}",
        "How: ${TREATMENT}",
        "Centre: ${CENTRE}",
        "Case: ${CASE}",
        "Story: ${STORY}",
    )
    # for whoever recounts from the CDR alone; its own times are whole seconds
    context.do("Set", f"CDR(userfield)=${{CITY}}/${{LINE}}/${{ORIGINAL}}/${{TRUNK}}/${{CALLED}}/{NOW}")
    context.do("Set", "GROUP(trunk)=${CITY}-${TRUNK}")
    # a centre's caller passes every limit
    full = '${GROUP_COUNT(${CITY}-${TRUNK}@trunk)} > ${ARG3} & "${CENTRE}" = ""'
    context.do("GotoIf", f"$[{full}]?full")
    context.do("Return")
    context.do("Set", "LEFT_BY=system", label="full")
    return context.do("Hangup", "34")  # Q.850: no circuit available


def _record(site: Site) -> Context:
    """One file per leg: what this leg said (r), kept in step with the other files by silence (S)."""
    context = Context("record")
    context.do("GotoIf", '$["${RECORDING}" != ""]?done')
    _start_recording(context, site)
    return context.do("Return", label="done")


def _start_recording(context: Context, site: Site) -> None:
    context.do("Set", f"RECORDING={CALL_FOLDER}/${{UNIQUEID}}.wav")
    context.do("MixMonitor", "", f"r({site.recordings_dir}/${{RECORDING}})S")
    _tell(context, "recording", "Leg: ${UNIQUEID}", "File: ${RECORDING}", "State: started")


def _hop() -> Context:
    """ARG1 the place entered. A walk that is too long ends at the city's last message."""
    context = Context("hop")
    context.do("Set", "HOPS=$[0${HOPS} + 1]")
    context.do("Set", "HASH(SEEN,${ARG1})=1")
    context.do("GotoIf", f"$[${{HOPS}} > {HOPS_ALLOWED}]?far")
    context.do("Return")
    context.do("StackPop", label="far")
    return context.do("Goto", "${CITY}-last", "s", "1")


def _ask(site: Site) -> Context:
    """ARG1 city, ARG2 line, ARG3 the default place. Sets NEXT_KIND and NEXT_NAME of a place that exists.

    The caller's channel never speaks to the service: AGI() reads half a line for as long as the peer holds
    it, and looks at neither a hang-up nor the absolute timeout meanwhile. So a channel of its own asks
    (``_question``), and Originate() waits until that one hangs up unanswered, its answer in SHARED(). When
    it does not come back, the caller goes on without it, and as long as it hangs there nobody asks.
    """
    context = Context("ask-service")
    context.do("Set", "NEXT=")
    context.do("Set", "ASK_BY=dialplan")
    context.do("Set", "ASK_STATUS=SKIPPED")
    context.do("GotoIf", f"$[{rests('ASK_AGAIN_AT', site.skip_seconds)}]?judge")
    context.do("GotoIf", "$[0${GROUP_COUNT(of-${GLOBAL(ASK_HELD)}@question)} > 0]?judge")
    context.do("Set", "SHARED(NEXT)=")
    context.do("Set", "SHARED(ASK_STATUS)=SILENT")
    context.do("Set", "SHARED(ASK_AT)=")
    context.do("Set", "QUESTION=of-${UNIQUEID}")
    known = (
        # ;1 would have a CDR of its own
        "CDR_PROP(disable)=1",
        "ASKER=${CHANNEL(name)}",
        *(f"{name}=${{{name}}}" for name in ("QUESTION", "CALL_ID", "ARG1", "ARG2", "CALLER", "CALLED")),
    )
    # Originate() knows whole seconds only; the question's own budget is shorter
    patience = str(int(site.budget_seconds) + 1)
    context.do("Originate", f"Local/s@{QUESTION}/n", "app", "NoOp", "", "", patience, f"v({'^'.join(known)})")
    context.do("Set", "ASK_STATUS=${SHARED(ASK_STATUS)}")
    context.do("Set", "NEXT=${SHARED(NEXT)}")
    context.do("GotoIf", "$[${LEN(${NEXT:0:9})} > 0]?answered")
    context.do("Set", "GLOBAL(ASK_HELD)=${UNIQUEID}")
    # whom it is held by, if it is
    begin_behind(context, site, "${SHARED(ASK_AT)}")
    # Another call found it out while we waited: one program is spawned, not one for each of twenty callers.
    context.do("GotoIf", f"$[{rests('ASK_AGAIN_AT', site.skip_seconds)}]?judge")
    # Nobody answered: for some seconds nobody is asked, so that the next callers do not wait for it.
    context.do("Set", f"GLOBAL(ASK_AGAIN_AT)=$[${{EPOCH}} + {site.skip_seconds}]")
    if site.failsafe:
        context.do("Set", "AGIEXITONHANGUP=yes")
        context.do("Set", f"TIMEOUT(absolute)={site.failsafe_seconds:g}")
        where = f"{site.etc_dir}/failsafe.json"
        context.do(
            "AGI", site.failsafe, "${CALL_ID}", "${ARG1}", "${ARG2}", where, f"{site.spool_dir}/failsafe"
        )
        context.do("ExecIf", "$[${LEN(${NEXT:0:9})} > 0]?Set(ASK_BY=failsafe)")
    context.do("Goto", "judge")
    context.do("Set", "ASK_BY=service", label="answered")
    _judge(context)
    context.exten("T")
    # the failsafe's own end should have come first
    return context.do("Set", "TIMEOUT(absolute)=0").do("Goto", "s", "judge")


def _question(site: Site) -> Context:
    """What the Local channel does that asks; nobody ever answers it.

    One budget for all addresses, a share for each. A server that accepts and stays silent holds AGI() for
    ever unless the absolute timeout fires and AGIEXITONHANGUP lets AGI() see it; T then goes on. A server
    that dies in the middle gives AGISTATUS=SUCCESS, so the answer counts, not the status. ASKER is there as
    long as we may still say something: it waits for our end.
    """
    context = Context(QUESTION)
    context.do("Set", "CDR_PROP(disable)=1")
    # counted as long as it is there: who asked, see ASK_HELD
    context.do("Set", "GROUP(question)=${QUESTION}")
    context.do("Set", "AGIEXITONHANGUP=yes")
    where_next = "where-next,${CALL_ID},${ARG1},${ARG2},${CALLER},${CALLED}"
    ask_each(context, site, len(site.agi), where_next, "NEXT", "ASK_AT")
    context.do("Set", "SHARED(ASK_STATUS,${ASKER})=${AGISTATUS}", label="answered")
    # functions break on kilobytes: only the beginning is handed over, one character more than may be there
    context.do("Set", f"SHARED(NEXT,${{ASKER}})=${{NEXT:0:{MAX_ANSWER + 1}}}", label="tell")
    context.do("Hangup")
    share_is_over(context, site, len(site.agi), "NEXT")
    return context


def _judge(context: Context) -> None:
    """An answer is believed when it is short, written in our letters, and names a place of this very city
    where this caller has not been."""
    context.do("Set", "TIMEOUT(absolute)=0", label="judge")
    # functions break on kilobytes: only the beginning is looked at, one character more than may be there
    context.do("Set", f"ANSWER=${{NEXT:0:{MAX_ANSWER + 1}}}")
    context.do("GotoIf", "$[${LEN(${ANSWER})} = 0]?default")
    context.do("GotoIf", f"$[${{LEN(${{ANSWER}})}} > {MAX_ANSWER}]?lie")
    context.do("Set", f"PLACE=${{FILTER({ANSWER},${{ANSWER}})}}")
    context.do("GotoIf", "$[${LEN(${PLACE})} != ${LEN(${ANSWER})}]?lie")
    # from here on PLACE holds no character that an expression could trip over
    context.do("GotoIf", '$["${PLACE}" = "default"]?default')
    context.do("Set", "NEXT_KIND=${CUT(PLACE,:,1)}")
    context.do("Set", "NEXT_NAME=${CUT(PLACE,:,2-)}")
    kinds = " | ".join(
        f'"${{NEXT_KIND}}" = "{kind}"' for kind in ("queue", "menu", "message", "line", "phone")
    )
    context.do("GotoIf", f"$[{kinds}]?:lie")
    context.do("GotoIf", "${DIALPLAN_EXISTS(${ARG1}-${NEXT_KIND}-${NEXT_NAME},s,1)}?:lie")
    context.do("GotoIf", '$["${HASH(SEEN,${PLACE})}" = "1"]?lie')
    context.do("Goto", "tell")
    context.do("Set", "ASK_STATUS=LIE", label="lie")
    context.do("Set", "ASK_BY=dialplan")
    _take_default(context, label="default")
    _tell(context, "asked", "Status: ${ASK_STATUS}", "Next: ${PLACE}", "By: ${ASK_BY}", label="tell")
    context.do("Return")


def _take_default(context: Context, label: str = "") -> None:
    context.do("Set", "PLACE=${ARG3}", label=label)
    context.do("Set", "NEXT_KIND=${CUT(PLACE,:,1)}")
    context.do("Set", "NEXT_NAME=${CUT(PLACE,:,2-)}")


def _ask_nobody() -> Context:
    """For lines that ask nobody: same arguments, same result."""
    context = Context("ask-nobody")
    _take_default(context)
    return context.do("Return")


def _queued_out() -> Context:
    """ARG1 queue."""
    context = Context("queued-out")
    _tell(context, "queued-out", "Queue: ${ARG1}", "Status: ${QUEUESTATUS}", "Key: ${QUEUE_KEY}")
    # app_queue writes nothing into its log of a caller it refused at the door
    context.do("QueueLog", "${CITY}-${ARG1}", "${UNIQUEID}", "NONE", "HOTLINEOUT", "${QUEUESTATUS}")
    move_waiter(context)
    return context


RETURNS = 3
"""So often a caller goes back to the queue after a phone died; then the call ends."""


def _talked() -> Context:
    """The agent's leg ended first; the caller is still there. A phone that died did not hang up: back to the
    head of the queue (decision 6)."""
    context = Context("talked")
    led_by_desk(context)
    moved_on(context)
    context.do("Set", "LOOKS=0")
    # the seat's leg ends in a thread of its own: its handler (seat-left) leaves its cause here
    context.do("Set", "SEAT_LEFT=${SHARED(SEAT_LEFT)}", label="look")
    context.do("GotoIf", '$["${SEAT_LEFT}" != ""]?known')
    context.do("Set", "LOOKS=$[${LOOKS} + 1]")
    context.do("GotoIf", "$[${LOOKS} > 10]?known")
    context.do("Wait", "0.1")
    context.do("Goto", "look")
    led_by_desk(context, label="known")
    # whoever put the handset down in the instant in which a key of theirs was done has not ended the talk
    context.do("GotoIf", '$["${SHARED(TRANSFER)}${SHARED(KEYED)}" != ""]?transfer-back,s,2')
    # a person in danger never goes back to music, nor to a machine
    danger = f"{cause_is(GONE, 'SEAT_LEFT')} & {IN_DANGER}"
    context.do("GotoIf", f"$[{danger}]?transfer-back,s,2")
    lost = f"{cause_is(GONE, 'SEAT_LEFT')} & 0${{RETURNS}} < {RETURNS}"
    context.do("GotoIf", f"$[{lost}]?back")
    # too often: we have lost this caller (asterisk_conf.waiting remembers it)
    context.do("ExecIf", f"$[{cause_is(GONE, 'SEAT_LEFT')}]?Set(DROPPED=1)")
    context.do("Set", "LEFT_BY=agent")
    context.do("Hangup", "16")
    context.do("Set", "RETURNS=$[0${RETURNS} + 1]", label="back")
    context.do("Set", "SHARED(LOST)=1")
    _tell(context, "returned", "Queue: ${QUEUE}", "Member: ${MEMBERINTERFACE}", "Cause: ${SEAT_LEFT}")
    context.do("Set", "SHARED(SEAT_LEFT)=")
    context.do("Set", f"QUEUE_PRIO={HEAD}")
    in_step(context)
    context.do("Playback", "hotline/caller-returned")
    return context.do("Goto", "${CITY}-queue-${QUEUE}", "s", "enter")


def _seat_leg() -> Context:
    """Runs on the seat's channel before its INVITE leaves (option b): what the desk must know of the call."""
    context = Context("seat-leg")
    context.do("Set", "CHANNEL(accountcode)=${CALL_ID}")
    seat_leg_begins(context)
    hide_caller(context)
    for header, text in (
        ("Call", "${CALL_ID}"),
        ("Sip-Call", "${SIP_CALL}"),
        ("Line", "${CITY}/${LINE}"),
        ("Original", "${ORIGINAL}"),
    ):
        context.do("Set", f"PJSIP_HEADER(add,X-Hotline-{header})={text}")
    for header, text in (("Centre", "${CENTRE}"), ("Case", "${CASE}"), ("Story", "${STORY}")):
        context.do("ExecIf", f'$["{text}" != ""]?Set(PJSIP_HEADER(add,X-Hotline-{header})={text})')
    return context.do("Return")


def _seat_joined(site: Site) -> Context:
    """Runs on the seat's channel when it has answered, before the two hear each other (membergosub)."""
    context = Context("seat-joined")
    seat_leg_answered(context)
    seat_talks(context)
    last_caller(context)
    # the moment an agent answered, finer than the whole seconds of app_queue's own line (CONNECT)
    caller = "${CUT(CALL_ID,-,2-)}"
    context.do("QueueLog", "${CITY}-${QUEUE}", caller, "${CHANNEL(endpoint)}", "HOTLINEANSWER", NOW)
    context.do("Gosub", "queue-paced", "s", "1")
    _start_recording(context, site)
    return context.do("Return")


def _mask() -> Context:
    """ARG1 on or off. On the agent's leg in the middle of a call; the service masks all legs of the call.

    Nothing in a dialplan pauses a recording of another leg. queue_log keeps the key, so that a service that
    was not there keeps out of the files what it could not pause.
    """
    context = Context("recording-mask")
    leg = "${CUT(CALL_ID,-,2-)}"
    context.do("QueueLog", "NONE", leg, "${CHANNEL(endpoint)}", "HOTLINEMASK", f"{NOW}/${{ARG1}}")
    _tell(context, "mask", "State: ${ARG1}")
    return context.do("Return")


def _consult() -> Context:
    """ARG1 city, ARG2 time zone. A seat calls a seat: that is recorded too, in a folder of its own unless a
    call brought it here. The accountcode stays as it is: alone this is no citizen's call."""
    context = Context("consult")
    context.do("GotoIf", '$["${CALL_ID}" != ""]?known')
    context.do("Set", "__CALL_ID=${ARG1}-${UNIQUEID}")
    context.do("Set", "__DAY=${STRFTIME(${EPOCH},${ARG2},%Y%m%d)}")
    context.do("Gosub", "record", "s", "1", label="known")
    return context.do("Return")


def _consulted(site: Site) -> Context:
    """Runs on the leg that was called, when it has answered."""
    context = Context("consulted")
    _start_recording(context, site)
    context.do("Set", f"DYNAMIC_FEATURES={'#'.join(MASK_KEYS)}")
    return context.do("Return")


def _left() -> Context:
    """Hangup handler of the caller's leg: whatever ended the call, it is told."""
    context = Context("left")
    # a duty phone outside answered: the caller did not give up
    context.do("ExecIf", '$["${DUTY_UP}" != "" & "${LEFT_BY}" = ""]?Set(LEFT_BY=system)')
    context.do("Gosub", "waits-over", "s", "1")
    caller_leaves(context)
    context.do("Gosub", "owed", "s", "1")
    by = '${IF($["${LEFT_BY}" = ""]?caller:${LEFT_BY})}'
    _tell(context, "left", f"By: {by}", "Cause: ${HANGUPCAUSE}")
    return context.do("Return")


def _owed() -> Context:
    """From the hangup handler of a caller's leg, or of a stand-in's: a person owes them a call."""
    context = Context("owed")
    context.do("GotoIf", '$["${OWED}" = ""]?none')
    _tell(context, "owed", "Caller: ${CALLER}", "Line: ${LINE}", "Message: ${OWED_FILE}")
    # a duty must not be forgotten because nobody was listening
    context.do("QueueLog", "${CITY}-${QUEUE}", "${UNIQUEID}", "NONE", "HOTLINEOWED", "${OWED_FILE}")
    return context.do("Return", label="none")
