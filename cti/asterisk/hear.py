"""AMI events -> facts. The only place where AMI's words for a call are known.

Every handler gets the frame as text and looks up the few headers it needs. Shapes of events: the
``core-en_US.xml`` of Asterisk 22 and the tapes in ``tests/tapes``; what differs from the paper is
said beside the line. Odd and unknown events give no fact and never raise.
"""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import (
    AttendedTransferred,
    BlindTransferred,
    ConferenceJoined,
    ConferenceLeft,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegId,
    LegJoined,
    LegLeft,
    LegRang,
    LegRenamed,
    LegStarted,
    LegUnheld,
)
from cti.asterisk import hear_queue, hear_recording, hear_story
from cti.asterisk.ear import (
    ACCOUNT,
    CHANNEL,
    LINKEDID,
    NUDGE,
    UNIQUEID,
    Ear,
    call_of,
    elder,
    endpoint_of,
    number_of,
    of_question,
)
from cti.asterisk.wire.frames import late, value

Handler = Callable[[Ear, str], None]

_MASQUERADED = "<MASQ>"


def _leg(text: str) -> LegId:
    return LegId(late(text, UNIQUEID))


def _new_channel(ear: Ear, text: str) -> None:
    leg, linked = _leg(text), LegId(late(text, LINKEDID))
    channel = value(text, CHANNEL)
    # app_queue and Dial() leave the dialled leg's account code empty or set it a moment later; its
    # Linkedid already names the caller's leg
    call = call_of(late(text, ACCOUNT)) or ear.calls.get(linked)
    ear.channels[leg] = channel
    if call is not None:
        ear.calls[leg] = call
    ear.tell(
        LegStarted(
            at=ear.moment(text),
            node=ear.node,
            leg=leg,
            channel=channel,
            call=call,
            endpoint=endpoint_of(channel),
            caller=number_of(value(text, "\r\nCallerIDNum: ")),
            called=number_of(late(text, "\r\nExten: ")),
            context=late(text, "\r\nContext: "),
            linked=linked,
        )
    )


def _new_state(ear: Ear, text: str) -> None:
    state = value(text, "\r\nChannelState: ")
    # 4 (Ring) is a caller's own channel before we answer, 5 (Ringing) a phone that rings
    if state == "6":
        ear.tell(LegAnswered(at=ear.moment(text), node=ear.node, leg=_leg(text)))
    elif state == "5":
        ear.tell(LegRang(at=ear.moment(text), node=ear.node, leg=_leg(text)))


def _new_account(ear: Ear, text: str) -> None:
    ear.belongs(_leg(text), call_of(late(text, ACCOUNT)), text)


def _rename(ear: Ear, text: str) -> None:
    """Masquerade: leg W is renamed to X<MASQ>, leg U takes the name X, W becomes a <ZOMBIE>.

    U is from now on the phone that W was, so it takes over W's call.
    """
    leg, channel = _leg(text), late(text, "\r\nNewname: ")
    ear.channels[leg] = channel
    ear.tell(LegRenamed(at=ear.moment(text), node=ear.node, leg=leg, channel=channel))
    if not channel.endswith(_MASQUERADED):
        for other, name in ear.channels.items():
            if name == channel + _MASQUERADED:
                ear.belongs(leg, ear.calls.get(other), text)
                break


def _dial_begin(ear: Ear, text: str) -> None:
    dialled = LegId(late(text, "\r\nDestUniqueid: "))
    if dialled not in ear.calls:
        ear.belongs(dialled, ear.calls.get(_leg(text)), text)


def _local_bridge(ear: Ear, text: str) -> None:
    """Both halves of a Local channel are the same call; Asterisk sets the account code of ;1 only."""
    one, two = LegId(value(text, "\r\nLocalOneUniqueid: ")), LegId(late(text, "\r\nLocalTwoUniqueid: "))
    call = ear.calls.get(one) or ear.calls.get(two)
    for half in (one, two):
        if half not in ear.calls:
            ear.belongs(half, call, text)


def _hold(ear: Ear, text: str) -> None:
    ear.tell(LegHeld(at=ear.moment(text), node=ear.node, leg=_leg(text)))


def _unhold(ear: Ear, text: str) -> None:
    ear.tell(LegUnheld(at=ear.moment(text), node=ear.node, leg=_leg(text)))


def _dtmf(ear: Ear, text: str) -> None:
    key = late(text, "\r\nDigit: ")
    if "\r\nDirection: Received" in text and key != NUDGE:
        ear.tell(KeyPressed(at=ear.moment(text), node=ear.node, leg=_leg(text), key=key))


def _kind(text: str) -> str:
    technology = value(text, "\r\nBridgeTechnology: ")
    if technology == "holding_bridge":
        return "holding"
    # a two-party bridge stays "basic" when a third joins for a moment and softmix takes over
    if value(text, "\r\nBridgeType: ") == "basic":
        return "basic"
    return "conference" if technology == "softmix" else "other"


def _bridge_enter(ear: Ear, text: str) -> None:
    leg = _leg(text)
    if leg not in ear.calls:
        # bridging merges Linkedids to the oldest: a consulted colleague now belongs to the caller
        ear.belongs(leg, ear.calls.get(LegId(late(text, LINKEDID))), text)
    bridge = value(text, "\r\nBridgeUniqueid: ")
    ear.tell(LegJoined(at=ear.moment(text), node=ear.node, leg=leg, bridge=bridge, kind=_kind(text)))


def _bridge_leave(ear: Ear, text: str) -> None:
    bridge = value(text, "\r\nBridgeUniqueid: ")
    ear.tell(LegLeft(at=ear.moment(text), node=ear.node, leg=_leg(text), bridge=bridge))


def _hangup_wanted(ear: Ear, text: str) -> None:
    """Said before app_queue notices: how ``hear_queue`` tells a hang-up from a queue that gave up."""
    leg = _leg(text)
    if leg in ear.channels:
        ear.hanging.add(leg)


def _hangup(ear: Ear, text: str) -> None:
    leg = _leg(text)
    cause = late(text, "\r\nCause: ")
    ear.channels.pop(leg, None)
    ear.calls.pop(leg, None)
    ear.hanging.discard(leg)
    ear.tell(
        LegEnded(at=ear.moment(text), node=ear.node, leg=leg, cause=int(cause) if cause.isdigit() else 0)
    )


def _conference_join(ear: Ear, text: str) -> None:
    room = value(text, "\r\nConference: ")
    marked = value(text, "\r\nMarkedUser: ") == "Yes"
    ear.tell(ConferenceJoined(at=ear.moment(text), node=ear.node, leg=_leg(text), room=room, marked=marked))


def _conference_leave(ear: Ear, text: str) -> None:
    room = value(text, "\r\nConference: ")
    ear.tell(ConferenceLeft(at=ear.moment(text), node=ear.node, leg=_leg(text), room=room))


def _blind(ear: Ear, text: str) -> None:
    ear.tell(
        BlindTransferred(
            at=ear.moment(text),
            node=ear.node,
            by=LegId(value(text, "\r\nTransfererUniqueid: ")),
            leg=LegId(value(text, "\r\nTransfereeUniqueid: ")) or None,
            to=late(text, "\r\nContext: ") + "/" + value(text, "\r\nExtension: "),
            ok=value(text, "\r\nResult: ") == "Success",
        )
    )


def _attended(ear: Ear, text: str) -> None:
    ok = value(text, "\r\nResult: ") == "Success"
    # a transfer started through AMI or a feature code has one transferer leg and no TransferTarget
    joined = tuple(
        LegId(leg)
        for key in ("\r\nTransfereeUniqueid: ", "\r\nTransferTargetUniqueid: ")
        if (leg := value(text, key))
    )
    ear.tell(
        AttendedTransferred(
            at=ear.moment(text),
            node=ear.node,
            original=LegId(value(text, "\r\nOrigTransfererUniqueid: ")),
            consult=LegId(value(text, "\r\nSecondTransfererUniqueid: ")),
            joined=joined,
            ok=ok,
        )
    )
    # said after the transfer: until then two calls are two
    if ok:
        known = [ear.calls[leg] for leg in joined if leg in ear.calls]
        if known:
            for leg in joined:
                ear.belongs(leg, elder(known), text)


HANDLERS: dict[bytes, Handler] = {
    b"Newchannel": _new_channel,
    b"Newstate": _new_state,
    b"NewAccountCode": _new_account,
    b"Rename": _rename,
    b"DialBegin": _dial_begin,
    b"LocalBridge": _local_bridge,
    b"Hold": _hold,
    b"Unhold": _unhold,
    b"DTMFEnd": _dtmf,
    b"BridgeEnter": _bridge_enter,
    b"BridgeLeave": _bridge_leave,
    b"HangupRequest": _hangup_wanted,
    b"SoftHangupRequest": _hangup_wanted,
    b"Hangup": _hangup,
    b"ConfbridgeJoin": _conference_join,
    b"ConfbridgeLeave": _conference_leave,
    b"BlindTransfer": _blind,
    b"AttendedTransfer": _attended,
    **hear_queue.HANDLERS,
    **hear_story.HANDLERS,
    **hear_recording.HANDLERS,
}
"""Every event we listen for. manager.conf may filter out all others at the source."""


def hear(ear: Ear, name: bytes, text: str) -> None:
    """Tell the facts of one event."""
    handler = HANDLERS.get(name)
    # events without a Channel speak of channels we would have to know already
    if handler is not None and not of_question(text):
        handler(ear, text)
