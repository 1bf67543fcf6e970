"""A LabSite as Asterisk configuration. Pure text.

How a phone behaves is not configuration but data (astdb ``phone/<name>``, see ``lab.behaviour``), so that
it can be changed while calls run. The dialplan reads it when a call comes in.
"""

from __future__ import annotations

from lab.site import HOUSE, LabSite

_MODULES = """
res_timing_timerfd res_crypto res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject
res_http_websocket res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_registrar
res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest res_pjsip_outbound_registration
res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_sdp_rtp res_pjsip_caller_id
res_pjsip_nat res_pjsip_rfc3326 res_pjsip_refer res_pjsip_header_funcs res_pjsip_dlg_options
res_pjsip_diversion res_pjsip_logger res_rtp_asterisk chan_pjsip
bridge_simple bridge_native_rtp bridge_softmix bridge_builtin_features bridge_holding
codec_ulaw codec_alaw codec_a_mu codec_resample format_pcm format_wav format_sln
pbx_config app_dial app_playback app_mixmonitor app_stack app_exec app_userevent app_db app_verbose
app_milliwatt app_senddtmf app_echo app_if app_transfer app_bridgewait
func_callerid func_channel func_cut func_db func_logic func_strings func_timeout func_talkdetect
func_global func_math res_manager_devicestate func_pjsip_endpoint func_hangupcause
"""


def _event(what: str, **headers: str) -> str:
    told = ",".join(f"{name}: {value}" for name, value in headers.items())
    return f"UserEvent(Phone,What: {what},{told})"


_RINGS = _event(
    "rings",
    Phone="${LAB_PHONE}",
    Kind="${LAB_KIND}",
    SipCall="${CHANNEL(pjsip,call-id)}",
    Call="${PJSIP_HEADER(read,X-Hotline-Call)}",
    CallerSipCall="${PJSIP_HEADER(read,X-Hotline-Sip-Call)}",
    Line="${PJSIP_HEADER(read,X-Hotline-Line)}",
    Original="${PJSIP_HEADER(read,X-Hotline-Original)}",
    Handoff="${PJSIP_HEADER(read,X-Hotline-Handoff)}",
    Caller="${CALLERID(num)}",
    Called="${LAB_PHONE}",
    Does="${LAB_DO}",
)
# Originate sets its variables only after this ran, so they come as arguments
SENDS = ("phone", "kind", "city", "number", "caller", "hear", "diversion", "history", "case", "handoff")
"""The arguments of ``sends``, in this order."""
_SENT = _event(
    "sent",
    Phone="${ARG1}",
    Kind="${ARG2}",
    City="${ARG3}",
    SipCall="${CHANNEL(pjsip,call-id)}",
    Called="${ARG4}",
    Caller="${ARG5}",
    Diversion="${ARG7}",
)
_HEADER = "Set(PJSIP_HEADER(add,{name})=<sip:${{{value}}}@127.0.0.1>\\;{more})"
_DIVERSION = _HEADER.format(name="Diversion", value="ARG7", more="reason=unconditional")
_HISTORY = _HEADER.format(name="History-Info", value="ARG8", more="index=1")
_HISTORY_END = _HEADER.format(name="History-Info", value="ARG4", more="index=1.1")

_DIALPLAN = r"""
[from-house]
; A seat's phone, or an outside number the house dials.
exten => _[a-z].,1,Set(LAB_PHONE=${EXTEN})
 same => n,Set(LAB_KIND=seat)
 same => n,Goto(phone,s,1)
exten => _[0-9+].,1,Set(LAB_PHONE=${EXTEN})
 same => n,Set(LAB_KIND=outside)
 same => n,Goto(phone,s,1)

[phone]
exten => s,1,Set(LAB_DATA=${DB(phone/${LAB_PHONE})})
 same => n,ExecIf($["${LAB_DATA}"=""]?Set(LAB_DATA=${DB(phone/${LAB_KIND})}))
 same => n,Set(LAB_DO=${CUT(LAB_DATA,|,1)})
 same => n,Set(LAB_AFTER=${CUT(LAB_DATA,|,2)})
 same => n,Set(LAB_FOR=${CUT(LAB_DATA,|,3)})
 same => n,Set(LAB_HEAR=${CUT(LAB_DATA,|,4)})
 same => n,Set(LAB_SAY=${CUT(LAB_DATA,|,5)})
 same => n,ExecIf($["${LAB_HEAR}"="1"]?MixMonitor(,r(${LAB_HEARD}/${UNIQUEID}.wav)))
 same => n,@RINGS@
 same => n,GotoIf($["${LAB_DO}"="reject" & "${LAB_AFTER}"="0"]?reject)
 same => n,GotoIf($["${LAB_DO}"="busy" & "${LAB_AFTER}"="0"]?busy)
 same => n,Ringing()
 same => n,GotoIf($["${LAB_DO}"="ignore"]?ignore)
 same => n,Wait(${LAB_AFTER})
 same => n,GotoIf($["${LAB_DO}"="reject"]?reject)
 same => n,GotoIf($["${LAB_DO}"="busy"]?busy)
 same => n,Answer()
 same => n,ExecIf($["${LAB_FOR}"!=""]?Set(TIMEOUT(absolute)=${LAB_FOR}))
 same => n,Goto(talk,s,1)
 same => n(ignore),Wait(600)
 same => n,Hangup()
; 21 (call rejected) becomes 403, 17 (user busy) 486
 same => n(reject),Hangup(21)
 same => n(busy),Hangup(17)

[picks-up]
; A person lifts the handset now, whatever the phone was told before.
exten => s,1,Answer()
 same => n,ExecIf($["${LAB_FOR}"!=""]?Set(TIMEOUT(absolute)=${LAB_FOR}))
 same => n,Goto(talk,s,1)

[talk]
exten => s,1,GotoIf($["${LAB_SAY}"=""]?quiet)
 same => n,UserEvent(Phone,What: says,Audio: ${LAB_SAY})
 same => n,Playback(${LAB_SAY})
 same => n,UserEvent(Phone,What: said,Audio: ${LAB_SAY})
 same => n,Set(LAB_SAY=)
 same => n(quiet),Wait(3600)
 same => n,Goto(quiet)
exten => T,1,Hangup()

[holds]
; A person puts the other side on hold: a re-INVITE (moh_passthrough), until told to resume.
exten => s,1,UserEvent(Phone,What: held)
 same => n,BridgeWait(${UNIQUEID},participant,e(h))
 same => n,Hangup()

[resumes]
exten => s,1,UserEvent(Phone,What: resumed)
 same => n,Goto(talk,s,1)

[rejects]
exten => s,1,Hangup(21)
[busy]
exten => s,1,Hangup(17)

[sends]
; Before the INVITE leaves (PreDialGoSub), so that early media is recorded too.
exten => s,1,ExecIf($["${ARG6}"="1"]?MixMonitor(,r(${LAB_HEARD}/${UNIQUEID}.wav)))
 same => n,ExecIf($["${ARG7}"!=""]?@DIVERSION@)
 same => n,ExecIf($["${ARG8}"!=""]?@HISTORY@)
 same => n,ExecIf($["${ARG8}"!=""]?@HISTORY_END@)
 same => n,ExecIf($["${ARG9}"!=""]?Set(PJSIP_HEADER(add,X-Case-Number)=${ARG9}))
 same => n,ExecIf($["${ARG10}"!=""]?Set(PJSIP_HEADER(add,X-Hotline-Handoff)=${ARG10}))
 same => n,@SENT@
 same => n,Return()

[caller]
; The line is up: listen for the pauses of the voice, speak when told to.
exten => s,1,Set(TALK_DETECT(set)=900,200)
 same => n,Goto(talk,s,1)
"""


def _dialplan(site: LabSite) -> str:
    text = _DIALPLAN.replace("@RINGS@", _RINGS).replace("@SENT@", _SENT)
    text = text.replace("@DIVERSION@", _DIVERSION).replace("@HISTORY@", _HISTORY)
    text = text.replace("@HISTORY_END@", _HISTORY_END)
    return f"[globals]\nLAB_HEARD={site.heard}\n{text}"


def render(site: LabSite) -> dict[str, str]:
    """File name to text, for ``site.folder/etc``."""
    return {
        "asterisk.conf": _asterisk(site),
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in _MODULES.split()),
        "logger.conf": "[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages = notice,warning,error\n",
        "manager.conf": _manager(site),
        "http.conf": f"[general]\nenabled = no\nbindaddr = {HOUSE}\nbindport = {site.http}\n",
        "rtp.conf": f"[general]\nrtpstart = {site.rtp[0]}\nrtpend = {site.rtp[1]}\nstrictrtp = yes\n",
        "extensions.conf": _dialplan(site),
        "pjsip.conf": _pjsip(site),
        "cdr.conf": "[general]\nenable = no\n",
        "features.conf": "[general]\n",
        **{name: "" for name in ("acl.conf", "ccss.conf", "cel.conf", "cli_aliases.conf", "codecs.conf",
                                 "dnsmgr.conf", "indications.conf", "pjproject.conf", "sorcery.conf",
                                 "stasis.conf", "udptl.conf", "dsp.conf")},
    }  # fmt: skip


FOLDERS = (
    *("etc", "spool/tmp", "spool/monitor", "log", "run", "db", "data/sounds", "lib", "keys/keys", "agi"),
    *("heard", "audio"),
)
"""Below ``site.folder``."""


def _asterisk(site: LabSite) -> str:
    f = site.folder
    return f"""[directories]
astetcdir => {f}/etc
astmoddir => {site.modules}
astvarlibdir => {f}/lib
astdbdir => {f}/db
astkeydir => {f}/keys
astdatadir => {f}/data
astagidir => {f}/agi
astspooldir => {f}/spool
astrundir => {f}/run
astlogdir => {f}/log
[options]
documentation_language = en_US
transmit_silence = yes
maxfiles = 60000
hideconnect = yes
live_dangerously = no
systemname = lab
"""


def _manager(site: LabSite) -> str:
    # VarSet and Newexten are most of the traffic, and nobody here listens to them
    names = ("RTCPSent", "RTCPReceived", "VarSet", "Newexten")
    if site.version >= (22,):
        unwanted = "".join(f"eventfilter(action(exclude),name({name})) =\n" for name in names)
    else:
        unwanted = "".join(f"eventfilter = !Event: {name}\n" for name in names)
    return f"""[general]
enabled = yes
bindaddr = {HOUSE}
port = {site.ami}
displayconnects = no
timestampevents = yes
[lab]
secret = {site.ami_secret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = system,call,user,dtmf
write = system,call,user,config,command,reporting,originate
writetimeout = 5000
{unwanted}"""


def _pjsip(site: LabSite) -> str:
    sources = sorted({c.source for c in site.carriers})
    house = f"sip:{HOUSE}:{site.house}"
    parts = [
        "[global]\ntype = global\nuser_agent = city\nendpoint_identifier_order = ip\n",
        "[system]\ntype = system\nthreadpool_max_size = 20\n",
        _transport("phones", HOUSE, site.sip),
        *(_transport(f"from-{source}", source, site.sip) for source in sources),
        _ENDPOINTS,
        # whatever the house sends us, to a phone or through a trunk
        "[house](line)\ncontext = from-house\ntransport = phones\n",
        f"[house]\ntype = identify\nendpoint = house\nmatch = {HOUSE}\n",
        # its OPTIONS tell whether the house is there: then every phone registers again
        f"[house]\ntype = aor\ncontact = {house}\nqualify_frequency = 2\nqualify_timeout = 1.5\n",
    ]
    for carrier in site.carriers:
        parts.append(f"[{carrier.endpoint}](line)\ntransport = from-{carrier.source}\naors = to-house\n")
    parts.append(f"[to-house]\ntype = aor\ncontact = {house}\n")
    for seat in site.seats:
        name = seat.name
        parts.append(
            f"[{name}](line)\ntransport = phones\naors = to-house\n"
            f"outbound_auth = {name}\nfrom_user = {name}\n"
            f"[{name}](login)\nusername = {name}\npassword = {seat.secret}\n"
            f"[{name}](register)\noutbound_auth = {name}\ncontact_user = {name}\n"
            f"server_uri = {house}\nclient_uri = sip:{name}@{HOUSE}:{site.house}\n"
        )
    return "\n".join(parts)


def _transport(name: str, address: str, port: int) -> str:
    return f"[{name}]\ntype = transport\nprotocol = udp\nbind = {address}:{port}\n"


_ENDPOINTS = """[line](!)
type = endpoint
disallow = all
allow = alaw,ulaw
dtmf_mode = rfc4733
direct_media = no
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
identify_by = ip
send_diversion = no
moh_passthrough = yes
trust_id_outbound = no
[login](!)
type = auth
auth_type = userpass
[register](!)
type = registration
transport = phones
expiration = 90
max_random_initial_delay = 1
retry_interval = 2
forbidden_retry_interval = 3
fatal_retry_interval = 3
max_retries = 1000000
auth_rejection_permanent = no
"""
