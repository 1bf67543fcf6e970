"""Orders -> AMI actions. An order's *fact* comes back through hear.py; here is only what AMI said."""

from __future__ import annotations

from collections.abc import Callable

from calls.facts import LegId
from calls.orders import (
    Announce,
    CallOut,
    EndWrapUp,
    Free,
    HangUp,
    MaskRecording,
    MoveToFront,
    MoveToQueue,
    Nudge,
    Order,
    Originate,
    Pause,
    ReadVariable,
    Redirect,
    Reload,
    SetQueues,
    SignIn,
    SignOut,
    StandIn,
    TakeOver,
    TapLeg,
    Transfer,
    Unpause,
    UntapLeg,
    Watch,
)
from cti.asterisk.do_desk import at_desk
from cti.asterisk.do_outgoing import call_out
from cti.asterisk.do_recording import at_recording
from cti.asterisk.do_seat import at_seat
from cti.asterisk.do_transfer import transfer
from cti.asterisk.ear import NUDGE
from cti.asterisk.resync import CALL_BACKS, whole
from cti.asterisk.wire.action import Reply, Values
from cti.asterisk.wire.connection import Connection
from cti.errors import Refused

_MODULES: dict[str, tuple[str, ...]] = {
    # what the CLI's "pjsip reload" reloads: endpoints live in res_pjsip, `identify` in its own module
    "pjsip": (
        "res_pjsip.so",
        "res_pjsip_authenticator_digest.so",
        "res_pjsip_endpoint_identifier_ip.so",
        "res_pjsip_outbound_registration.so",
    ),
    "queues": ("app_queue.so",),
    "dialplan": ("pbx_config.so",),
    "music": ("res_musiconhold.so",),
}
RELOAD_SECONDS = 20.0

_ORIGINATE_REASONS = {
    "0": "it could not be reached",
    "1": "it hung up",
    "3": "nobody answered",
    "5": "it is busy",
    "8": "it is busy or cannot be reached",
}
"""OriginateResponse's Reason: control frame numbers of Asterisk's frame.h."""


async def carry_out(order: Order, connection: Connection, channel_of: Callable[[LegId], str]) -> str:
    """Do it; the outcome is a variable's value, the originated leg, or "".

    Raises Refused (Asterisk said no) or NotNow (no answer: outcome unknown).
    """
    match order:
        case HangUp():
            await _ask(
                connection,
                {"Action": "Hangup", "Channel": channel_of(order.leg), "Cause": str(order.cause)},
            )
        case Redirect():
            await _ask(
                connection,
                {
                    "Action": "Redirect",
                    "Channel": channel_of(order.leg),
                    "Context": order.context,
                    "Exten": order.exten,
                    "Priority": str(order.priority),
                },
            )
        case Reload():
            for part in order.parts:
                await _reload(connection, part)
        case ReadVariable():
            values = {"Action": "Getvar", "Variable": order.name}
            if order.leg is not None:
                values["Channel"] = channel_of(order.leg)
            return (await _ask(connection, values)).head.get("Value", "")
        case Originate():
            return await _originate(order, connection)
        case Nudge():
            # a key "received" ends app_queue's sleep of a second (ast_waitfordigit); no key of ours, so it
            # goes back to asking whether it is this caller's turn
            played = {"Channel": channel_of(order.leg), "Digit": NUDGE, "Receive": "true", "Duration": "20"}
            await _ask(connection, {"Action": "PlayDTMF", **played})
        case SetQueues() | Watch() | TakeOver() | Free() | MoveToFront() | MoveToQueue() | Announce():
            await at_desk(order, connection, channel_of)
        case StandIn():
            await _stand_in(order, connection)
        case MaskRecording() | TapLeg() | UntapLeg():
            return await at_recording(order, connection, channel_of)
        case SignIn() | SignOut() | Pause() | Unpause() | EndWrapUp():
            await at_seat(order, connection)
        case Transfer():
            await transfer(order, connection)
        case CallOut():
            return await call_out(order, connection)
    return ""


async def _ask(connection: Connection, values: Values, seconds: float = 5.0) -> Reply:
    return whole(str(values["Action"]), await connection.ask(values, seconds))


async def _stand_in(order: StandIn, connection: Connection) -> None:
    """The dialplan's own stand-in (asterisk_conf.callback), which looks whether there is one already."""
    family = {"Family": CALL_BACKS, "Key": order.call}
    if not (await connection.ask({"Action": "DBGet", **family})).ok:
        await _ask(connection, {"Action": "DBPut", **family, "Val": order.record})
    await _ask(
        connection,
        {
            "Action": "Originate",
            "Channel": f"Local/{order.call}@stand-up/n",
            "Context": "stand-up",
            "Exten": "1",
            "Priority": "1",
            "Timeout": "5000",
            "Async": "true",
        },
        10.0,
    )


async def _reload(connection: Connection, part: str) -> None:
    modules = _MODULES.get(part)
    if modules is None:
        raise Refused(f"cannot reload {part!r}; known are {', '.join(_MODULES)}")
    for number, module in enumerate(modules):
        reply = await connection.ask({"Action": "Reload", "Module": module}, RELOAD_SECONDS)
        # an optional module may not be loaded; the first one of a part must be
        if not reply.ok and (number == 0 or "No such module" not in reply.why):
            raise Refused(f"reload of {module}: {reply.why}")


async def _originate(order: Originate, connection: Connection) -> str:
    for name, text in order.variables:
        if "," in text or "," in name:
            # AMI splits a Variable header at commas and knows no quoting
            raise Refused(f"variable {name}: a comma cannot be handed to Originate")
    values: dict[str, str | list[str]] = {
        "Action": "Originate",
        "Channel": order.endpoint,
        "Context": order.context,
        "Exten": order.exten,
        "Priority": "1",
        "Timeout": str(int(order.seconds * 1000)),
        # "queued" comes at once, the outcome with OriginateResponse
        "Async": "true",
    }
    if order.caller:
        values["CallerID"] = order.caller
    if order.call is not None:
        values["Account"] = order.call
    if order.variables:
        values["Variable"] = [f"{name}={text}" for name, text in order.variables]
    reply = await _ask(connection, values, order.seconds + 5)
    if reply.close.get("Response") != "Success":
        reason = reply.close.get("Reason", "")
        raise Refused(f"{order.endpoint}: {_ORIGINATE_REASONS.get(reason, 'it failed')} (reason {reason})")
    return reply.close.get("Uniqueid", "")
