"""SIPp as a peer nobody here wrote: callers by the hundred, and SIP that no well-bred phone sends.

SIPp's "ok" says that Asterisk answered, nothing more: whoever counts served callers counts AgentConnect.
Its ``play_dtmf`` (3.6.1) sends a wrong payload type and moving timestamps: keys come from the lab's phones.
"""

from __future__ import annotations

import asyncio
import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class NoSipp(Exception):
    """SIPp is not installed: ``apt-get install sip-tester``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What SIPp counted. ``errors`` is the end of its error file."""

    made: int
    well: int
    failed: int
    errors: str


_SDP = """v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a={direction}"""


def _message(first: str, cseq: str, headers: Sequence[str], sdp: str = "", to: str = "") -> str:
    body = f"Content-Type: application/sdp\nContent-Length: [len]\n\n{sdp}" if sdp else "Content-Length: 0\n"
    lines = [
        first,
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        *headers,
        to,
        "Call-ID: [call_id]",
        f"CSeq: {cseq}",
        "Contact: <sip:sipp@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
    ]
    return "\n".join(line for line in lines if line) + "\n" + body


def _send(text: str, more: str = "") -> str:
    return f"<send{more}><![CDATA[\n{text}\n]]></send>\n"


def caller(
    *,
    headers: Sequence[str] = (),
    sender: str = "<sip:[caller]@[local_ip]>;tag=[call_number]",
    talk_ms: int = 3000,
    hold_ms: int = 0,
    held_ms: int = 500,
    late_offer: bool = False,
    body: str = "",
    refused: Sequence[int] = (),
    hangs_up: bool = True,
) -> str:
    """A scenario: INVITE, talk, BYE.

    ``headers`` are further header lines of the INVITE (Diversion, History-Info, nonsense). ``sender`` is the
    From header's value. ``hold_ms``: a re-INVITE with sendonly so long into the call, and one back
    ``held_ms`` later.
    ``late_offer``: no SDP in the INVITE. ``body``: this instead of an SDP. ``refused``: final answers that
    are as good as 200. ``hangs_up`` False: waits for the other side's BYE.
    """
    sdp = body or ("" if late_offer else _SDP.format(direction="sendrecv"))
    to = "To: <sip:[service]@[remote_ip]:[remote_port]>"
    mine = [f"From: {sender}"]
    uri = "sip:[service]@[remote_ip]:[remote_port]"
    dialog = "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]"
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="caller">\n',
        _send(_message(f"INVITE {uri} SIP/2.0", "1 INVITE", [*mine, *headers], sdp, to), ' retrans="500"'),
        '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n',
        '<recv response="183" optional="true"/>\n',
        *(f'<recv response="{code}" optional="true" next="refused"/>\n' for code in refused),
        '<recv response="200" rtd="true" rrs="true"/>\n',
    ]
    answer = _SDP.format(direction="sendrecv") if late_offer else ""
    parts.append(_send(_message("ACK [next_url] SIP/2.0", "1 ACK", [*mine, "[routes]"], answer, dialog)))
    if hold_ms:
        parts.append(f'<pause milliseconds="{hold_ms}"/>\n')
        for cseq, direction, stays in ((2, "sendonly", held_ms), (3, "sendrecv", 500)):
            offer = _SDP.format(direction=direction)
            invite = _message(
                "INVITE [next_url] SIP/2.0", f"{cseq} INVITE", [*mine, "[routes]"], offer, dialog
            )
            parts.append(_send(invite, ' retrans="500"'))
            parts.append('<recv response="100" optional="true"/>\n<recv response="200"/>\n')
            ack = _message("ACK [next_url] SIP/2.0", f"{cseq} ACK", [*mine, "[routes]"], "", dialog)
            parts.append(_send(ack) + f'<pause milliseconds="{stays}"/>\n')
    if hangs_up:
        bye = _message("BYE [next_url] SIP/2.0", "9 BYE", [*mine, "[routes]"], "", dialog)
        parts.append(f'<pause milliseconds="{talk_ms}"/>\n')
        parts.append(_send(bye, ' retrans="500"') + '<recv response="200" crlf="true"/>\n')
    else:
        parts.append('<recv request="BYE"/>\n')
        echoed = "".join(f"[last_{name}:]\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
        parts.append(_send(f"SIP/2.0 200 OK\n{echoed}Content-Length: 0\n"))
    if refused:
        parts.append('<label id="refused"/>\n')
    return "".join(parts) + "</scenario>\n"


async def call(
    scenario: str,
    folder: Path,
    *,
    number: str,
    house: int,
    source: str = "127.0.0.2",
    port: int,
    calls: int = 1,
    rate: float = 10.0,
    at_once: int = 300,
    caller_number: str = "13900000009",
    within: float = 60.0,
) -> Outcome:
    """Run a scenario against ``127.0.0.1:house`` from ``source:port``; media on ``port + 2`` is echoed.

    Raises NoSipp. ``within`` seconds is the end of it, whatever has happened.
    """
    program = shutil.which("sipp")
    if program is None:
        raise NoSipp("sipp is not installed (Debian: sip-tester)")
    xml, stat, errors = folder / "scenario.xml", folder / "stat.csv", folder / "errors.log"
    await asyncio.to_thread(_written, xml, scenario)
    process = await asyncio.create_subprocess_exec(
        program, f"127.0.0.1:{house}", "-sf", str(xml), "-s", number, "-i", source, "-p", str(port),
        "-mi", source, "-mp", str(port + 2), "-rtp_echo", "-m", str(calls), "-r", f"{rate:g}",
        "-l", str(at_once), "-key", "caller", caller_number, "-nostdin", "-trace_stat", "-stf", str(stat),
        "-trace_err", "-error_file", str(errors), "-timeout", f"{within:g}s", "-timeout_error",
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within + 10):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _counted(stat, errors)


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _counted(stat: Path, errors: Path) -> Outcome:
    rows = list(csv.DictReader(stat.read_text().splitlines(), delimiter=";")) if stat.exists() else []
    last = rows[-1] if rows else {}
    said = errors.read_text(errors="replace")[-2000:] if errors.exists() else ""

    def number(name: str) -> int:
        return int(last.get(name) or 0)

    return Outcome(number("TotalCallCreated"), number("SuccessfulCall(C)"), number("FailedCall(C)"), said)
