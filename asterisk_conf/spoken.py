"""A menu that is answered in words: the caller's channel asks and takes keys, channels of their own listen.

AudioSocket() never runs on the caller's channel. It swallows the caller's keys and gives them to the service
(kind 0x03, app_audiosocket.c), and whatever goes wrong in it ends the channel that runs it. So, as with the
question "where next?" (decision 5): a Local channel asks the service whether it would listen, another one
hears the caller through ChanSpy() and speaks AudioSocket, and the caller waits in short Read()s that every
key ends. What comes back is one of this menu's keys or nothing; then the menu goes on with its keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_conf.addresses import ask_each, begin_behind, share_is_over
from asterisk_conf.site import Site
from asterisk_conf.steps import Context, rests
from plan.model import Menu
from plan.spoken import Spoken

READY = "ask-apart-ready"
LISTEN = "ask-apart-listen"
SPY = "ask-apart-spy"
"""Named like the question's own context: what Asterisk says of these channels is nobody's news
(asterisk_conf.machine, cti.asterisk.ear)."""
MAX_HEARD = 400
"""A word, a key, a percentage, and 40 Chinese characters in percent-encoding."""
HEARD = "A-Za-z0-9%:*"
"""What an answer is written with, for FILTER()."""
UUID = r"0-9a-f\-"
LOOK = 0.2
"""Seconds of one Read() while somebody listens: so late an answer may be noticed."""
SPARE = 1
"""Seconds after which a listening that did not end by itself is ended."""
ANSWER_SECONDS = 1.8
"""For the question what was heard: a busy recogniser may still have to hear the last words."""
PATIENCE = 4
"""Seconds beyond the listening that its caller waits for the answer: SPARE, ANSWER_SECONDS, and the rounding
of EPOCH."""


def listens(context: Context, city: str, name: str, menu: Menu, question: str, again: str) -> None:
    """One step of a menu: KEY, KEY_BY and SAID when it returns. A menu of keys alone has a step too."""
    if menu.spoken is None:
        context.do("Set", "KEY=")
        return
    spoken: Spoken = menu.spoken
    keys = "".join(menu.keys)
    told = (city, name, str(spoken.seconds), str(spoken.tries), keys, question, again)
    context.do("Gosub", "listen", "s", f"1({','.join(told)})")


def spoken_contexts(site: Site) -> Iterator[Context]:
    """All that menus of all cities share."""
    yield _listen(site)
    if can_listen(site):
        yield _ready(site)
        yield _listener(site)
        yield _spy()


def can_listen(site: Site) -> bool:
    """Whether this Asterisk has AudioSocket and somebody has an address for it."""
    return bool(site.audio) and (not site.modules or "app_audiosocket" in site.modules)


def _listen(site: Site) -> Context:
    """ARG1 city, ARG2 menu, ARG3 seconds, ARG4 tries, ARG5 keys, ARG6 question, ARG7 the question again."""
    context = Context("listen")
    context.do("Set", "KEY=")
    context.do("Set", "KEY_BY=key")
    context.do("Set", "SAID=")
    context.do("Set", "SURE=")
    context.do("Set", "ROUND=0")
    context.do("Set", "LISTENED=SKIPPED")
    if not can_listen(site):
        return context.do("Return")
    context.do("GotoIf", f"$[{rests('ASK_AGAIN_AT', site.skip_seconds)}]?tell")
    context.do("GotoIf", f"$[{rests('LISTEN_AGAIN_AT', site.skip_seconds)}]?tell")
    context.do("GotoIf", "$[0${GROUP_COUNT(of-${GLOBAL(LISTEN_HELD)}@listen)} > 0]?tell")
    context.do("Set", "SAY=${ARG6}")
    context.do("Set", "ROUND=$[${ROUND} + 1]", label="round")
    for name in ("LISTEN", "LISTEN_AT", "LISTENER", "HEARD"):
        context.do("Set", f"SHARED({name})=")
    context.do("Set", "SAID=")
    context.do("Set", "SURE=")
    context.do("Set", "LISTENS=of-${UNIQUEID}")
    known = ("CDR_PROP(disable)=1", "ASKER=${CHANNEL(name)}", *_same("LISTENS", "CALL_ID", "ARG1", "ARG2"))
    patience = str(int(site.budget_seconds) + 1)
    context.do("Originate", f"Local/s@{READY}/n", "app", "NoOp", "", "", patience, f"v({'^'.join(known)})")
    context.do("Set", "LISTEN=${SHARED(LISTEN)}")
    context.do("Set", "LISTENED=SILENT")
    context.do("GotoIf", "$[${LEN(${LISTEN})} > 0]?ready")
    begin_behind(context, site, "${SHARED(LISTEN_AT)}")
    context.do("Goto", "held")
    context.do("Set", "LISTENED=NOBODY", label="ready")
    # the service is well and cannot listen now: no model, too many callers, a menu it does not know
    context.do("GotoIf", "$[${LEN(${LISTEN})} = 7]?tell")
    context.do("Set", "LISTENED=LIE")
    context.do("Set", f"LISTEN=${{FILTER({UUID},${{LISTEN}})}}")
    context.do("GotoIf", "$[${LEN(${LISTEN})} != 36]?tell")
    context.do("Set", "LISTENED=KEYED")
    context.do("Read", "KEY", "${SAY}", "1", "", "1", "0.1")
    context.do("GotoIf", "$[${LEN(${KEY})} > 0]?tell")
    known += ("SECONDS=${ARG3}", *_same("LISTEN"), "AT=${SHARED(LISTEN_AT)}")
    where = (f"Local/s@{LISTEN}/n", "exten", SPY, "s", "1", "2")
    context.do("Originate", *where, f"av({'^'.join(known)})")
    context.do("Set", f"UNTIL=$[${{EPOCH}} + ${{ARG3}} + {PATIENCE}]")
    # keys are taken here; between two of these they wait in the channel
    context.do("Read", "KEY", "", "1", "", "1", f"{LOOK:g}", label="wait")
    context.do("GotoIf", "$[${LEN(${KEY})} > 0]?keyed")
    context.do("GotoIf", "$[${LEN(${SHARED(HEARD)})} > 0]?heard")
    context.do("GotoIf", "$[${EPOCH} < ${UNTIL}]?wait")
    context.do("Set", "LISTENED=SILENT")
    # for some seconds nobody is asked to speak, and as long as the channel hangs there neither
    context.do("Set", "GLOBAL(LISTEN_HELD)=${UNIQUEID}", label="held")
    context.do("Set", f"GLOBAL(LISTEN_AGAIN_AT)=$[${{EPOCH}} + {site.skip_seconds}]")
    context.do("Goto", "over")
    _judge(context)
    context.do("ExecIf", '$["${SHARED(LISTENER)}" != ""]?SoftHangup(${SHARED(LISTENER)})', label="keyed")
    context.do("Goto", "tell")
    context.do("ExecIf", '$["${SHARED(LISTENER)}" != ""]?SoftHangup(${SHARED(LISTENER)})', label="over")
    _tell(context, label="tell")
    return context.do("Return")


def _judge(context: Context) -> None:
    """``key:3:93:<text>``, ``unclear::40:<text>``, ``nothing``, ``silent``: believed when it is short,
    written in our letters, and its key is one of this menu's."""
    context.do("Set", "LISTENED=LIE", label="heard")
    context.do("Set", "HEARD=${SHARED(HEARD)}")
    context.do("GotoIf", f"$[${{LEN(${{HEARD}})}} > {MAX_HEARD}]?tell")
    context.do("Set", f"ANSWER=${{FILTER({HEARD},${{HEARD}})}}")
    context.do("GotoIf", "$[${LEN(${ANSWER})} != ${LEN(${HEARD})}]?tell")
    # from here on ANSWER holds no character that an expression could trip over
    context.do("Set", "WORD=${CUT(ANSWER,:,1)}")
    context.do("GotoIf", '$["${WORD}" = "silent"]?died')
    context.do("ExecIf", '$["${WORD}" = "nothing"]?Set(LISTENED=NOTHING)')
    context.do("GotoIf", '$["${WORD}" = "unclear" | "${WORD}" = "key"]?:tell')
    context.do("Set", "SURE=${FILTER(0-9,${CUT(ANSWER,:,3)})}")
    context.do("Set", "SAID=${CUT(ANSWER,:,4)}")
    context.do("GotoIf", '$["${WORD}" = "unclear"]?unclear')
    context.do("Set", "KEY=${FILTER(${ARG5},${CUT(ANSWER,:,2)})}")
    context.do("GotoIf", "$[${LEN(${KEY})} = 1 & ${LEN(${CUT(ANSWER,:,2)})} = 1]?understood")
    context.do("Set", "KEY=")
    context.do("Goto", "tell")
    context.do("Set", "LISTENED=HEARD", label="understood")
    context.do("Set", "KEY_BY=voice")
    context.do("Goto", "tell")
    context.do("Set", "LISTENED=UNCLEAR", label="unclear")
    context.do("GotoIf", "$[${ROUND} >= ${ARG4}]?tell")
    _tell(context)
    context.do("Set", "SAY=${ARG7}")
    context.do("Goto", "round")
    context.do("Set", "LISTENED=SILENT", label="died")
    context.do("Goto", "held")


def _tell(context: Context, label: str = "") -> None:
    headers = ("Menu: ${ARG2}", "Status: ${LISTENED}", "Round: ${ROUND}", "Sure: ${SURE}", "Said: ${SAID}")
    context.do("UserEvent", "Hotline", "What: listened", "Call: ${CALL_ID}", *headers, label=label)


def _ready(site: Site) -> Context:
    """Would somebody listen? One budget for all addresses, as with "where next?"; never answered."""
    context = Context(READY)
    _begins(context)
    ask_each(context, site, _ears(site), "listen,${CALL_ID},${ARG1},${ARG2}", "LISTEN", "LISTEN_AT")
    context.do("Goto", "tell", label="answered")
    context.do("Set", "SHARED(LISTEN,${ASKER})=${LISTEN:0:37}", label="tell")
    context.do("Hangup")
    share_is_over(context, site, _ears(site), "LISTEN")
    return context


def _ears(site: Site) -> int:
    """How many of the addresses can take a caller's voice."""
    return min(len(site.agi), len(site.audio))


def _listener(site: Site) -> Context:
    """The half that speaks AudioSocket; its other half hears the caller (``_spy``).

    TryExec() goes on whatever AudioSocket() says: a refused connection, a closed one, garbage.
    """
    context = Context(LISTEN)
    _begins(context)
    context.do("Set", "SHARED(LISTENER,${ASKER})=${CHANNEL(name)}")
    context.do("Set", "STAGE=listen")
    # AudioSocket() wants a channel that is up
    context.do("Answer")
    context.do("Set", f"TIMEOUT(absolute)=$[${{SECONDS}} + {SPARE}]")
    context.do("Goto", "at${AT}")
    for number, (agi, audio) in enumerate(zip(site.agi, site.audio, strict=False)):
        context.do("TryExec", f"AudioSocket(${{LISTEN}},{audio})", label=f"at{number}")
        context.do("Set", "STAGE=ask", label=f"ask{number}")
        context.do("Set", f"TIMEOUT(absolute)={ANSWER_SECONDS:g}")
        context.do("AGI", f"agi://{agi}/heard", "${LISTEN}")
        context.do("Goto", "tell")
    # an empty answer would let the caller wait: the service died
    context.do("ExecIf", "$[${LEN(${HEARD:0:9})} = 0]?Set(HEARD=silent)", label="tell")
    context.do("Set", f"SHARED(HEARD,${{ASKER}})=${{HEARD:0:{MAX_HEARD + 1}}}")
    context.do("Hangup")
    context.exten("T")
    context.do("Set", "TIMEOUT(absolute)=0")
    return context.do("GotoIf", '$["${STAGE}" = "ask"]?s,tell:s,ask${AT}')


def _spy() -> Context:
    """Only the caller's own voice (o); ends with the caller (E, S)."""
    context = Context(SPY)
    context.do("Set", f"TIMEOUT(absolute)=$[${{SECONDS}} + {PATIENCE}]")
    context.do("ChanSpy", "${ASKER}", "qoES")
    return context.do("Hangup")


def _begins(context: Context) -> None:
    context.do("Set", "CDR_PROP(disable)=1")
    # counted as long as it is there: who asked, see LISTEN_HELD
    context.do("Set", "GROUP(listen)=${LISTENS}")
    context.do("Set", "AGIEXITONHANGUP=yes")


def _same(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}=${{{name}}}" for name in names)
