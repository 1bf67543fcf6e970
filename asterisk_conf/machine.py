"""Files about the machine, not the hotline: folders, modules, logs, manager, HTTP, RTP, CDR, music, tones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from asterisk_conf.ini import Pair, section, yes
from asterisk_conf.shared import QUESTION
from asterisk_conf.site import AmiUser, Site
from asterisk_conf.transfer_room import room_profiles

_FIRST = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject res_http_websocket res_pjsip
res_pjsip_transport_websocket res_pjsip_pubsub res_pjsip_session res_pjsip_registrar res_pjsip_refer
res_pjsip_nat res_pjsip_logger res_pjsip_acl chan_pjsip
"""
"""Loaded at once one after the other: res_pjsip begins to ask trunks whether they are there (qualify), and
pjproject warns of a race when those behind it come to it while answers already arrive."""

_MODULES = """
res_timing_timerfd res_crypto
res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest
res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip
res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_dtmf_info res_pjsip_rfc3326
res_pjsip_header_funcs res_pjsip_dlg_options res_pjsip_diversion res_pjsip_path
res_pjsip_empty_info
res_srtp res_rtp_asterisk res_format_attr_opus
chan_bridge_media bridge_simple bridge_native_rtp bridge_softmix bridge_holding
bridge_builtin_features bridge_builtin_interval_features
res_audiosocket app_audiosocket
codec_ulaw codec_alaw codec_a_mu codec_g722 codec_resample codec_opus_open_source
format_pcm format_wav format_sln res_musiconhold
pbx_config res_speech res_agi
app_dial app_queue app_mixmonitor app_confbridge app_playback app_playtones app_read app_record
app_stack app_exec app_verbose app_userevent app_originate app_senddtmf app_chanspy app_channelredirect
app_softhangup
func_callerid func_cdr func_channel func_cut func_db func_dialplan func_lock func_global func_groupcount
func_logic func_strings func_timeout func_pjsip_aor func_pjsip_contact
res_manager_devicestate cdr_csv cdr_manager
"""
"""Named one by one: half the memory and start-up time of autoload, and nothing listens that we do not know.
res_agi will not load without res_speech. websocket, srtp and opus wait for browser seats."""


def machine_files(site: Site, keys: str = "", room_keys: str = "") -> Iterator[tuple[str, str]]:
    """File name and text of everything here."""
    yield "asterisk.conf", _asterisk(site)
    yield "modules.conf", _modules(site)
    yield "logger.conf", _logger()
    yield "manager.conf", _manager(site)
    yield "http.conf", _http(site)
    yield (
        "rtp.conf",
        section("general", [("rtpstart", site.rtp[0]), ("rtpend", site.rtp[1]), ("strictrtp", "yes")]),
    )
    yield "musiconhold.conf", _music(site)
    yield "indications.conf", _INDICATIONS
    yield "cdr.conf", _CDR
    yield "cdr_manager.conf", section("general", [("enabled", "yes")])
    yield "features.conf", section("general", [("transferdigittimeout", 3)]) + keys
    yield "confbridge.conf", _CONFBRIDGE + room_profiles() + room_keys
    # looked for at start; Asterisk complains where they are missing
    yield "ccss.conf", section("general", [])
    yield "udptl.conf", section("general", [])
    yield "codecs.conf", section("general", [])
    yield "stasis.conf", ""
    yield "cel.conf", section("general", [("enable", "no")])
    yield "acl.conf", ""
    yield "pjproject.conf", ""
    yield "sorcery.conf", ""


def _asterisk(site: Site) -> str:
    folders: Mapping[str, str] = {
        "astetcdir": site.etc_dir,
        "astmoddir": site.modules_dir,
        "astvarlibdir": site.lib_dir,
        "astdbdir": site.db_dir,
        "astkeydir": site.key_dir,
        "astdatadir": site.data_dir,
        "astagidir": site.agi_dir,
        "astspooldir": site.spool_dir,
        "astrundir": site.run_dir,
        "astlogdir": site.log_dir,
    }
    options: list[Pair] = [
        ("systemname", site.node),
        ("defaultlanguage", "zh"),
        ("documentation_language", "en_US"),
        # a caller's own carrier may cut a call without RTP: Record() and Wait() send silence
        ("transmit_silence", "yes"),
        ("maxload", 0),
        ("maxfiles", 60000),
        # no SHELL(), FILE() … from AMI or AGI: only from dialplan, which has none
        ("live_dangerously", "no"),
        ("hideconnect", "yes"),
    ]
    return section("directories", folders.items(), arrow="=>") + "\n" + section("options", options)


def _modules(site: Site) -> str:
    lines: list[Pair] = [("autoload", "no")]
    for how, names in (("preload", _FIRST), ("load", _MODULES)):
        there = [name for name in names.split() if not site.modules or name in site.modules]
        lines += [(how, f"{name}.so") for name in there]
    return section("modules", lines)


def _logger() -> str:
    general: list[Pair] = [
        ("dateformat", "%F %T.%3q"),
        # the second truth of the queue: an auditor recomputes from this file
        ("queue_log", "yes"),
        ("queue_log_to_file", "yes"),
        ("rotatestrategy", "rotate"),
    ]
    files: list[Pair] = [("console", "warning,error"), ("messages", "notice,warning,error")]
    return section("general", general) + "\n" + section("logfiles", files, arrow="=>")


_UNMADE = ("VarSet", "Newexten", "TestEvent")
"""Known since Asterisk 18.12; an older one leaves them to the filters of each user. Debian builds with the
test framework, and a TestEvent breaks AMI's framing: it has an empty line in its middle."""

_NOISE = (
    *_UNMADE,
    "RTCPSent",
    "RTCPReceived",
    "DTMFBegin",
    "Cdr",
    "ChannelTalkingStart",
    "ChannelTalkingStop",
    "QueueMemberStatus",
    "MixMonitorStart",
    "MixMonitorStop",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "NewCallerid",
    "NewConnectedLine",
    "DialState",
    "DialEnd",
    "BridgeCreate",
    "BridgeDestroy",
)
"""Two thirds of all events, and nobody of ours reads them (``cti.asterisk.hear.HANDLERS``); each would cost
Asterisk a write and us a waking."""

_OF_A_QUESTION = {
    "Newchannel": "Channel",
    "LocalBridge": "LocalOneChannel",
    "DialBegin": "DestChannel",
    "HangupRequest": "Channel",
    "SoftHangupRequest": "Channel",
    "Hangup": "Channel",
    "DeviceStateChange": "Device",
    "Newstate": "Channel",
    "ChanSpyStart": "SpyerChannel",
    "ChanSpyStop": "SpyerChannel",
}
"""What Asterisk says of a channel that only asks us, and the header that names it: ten events a call. By name
and header, because a caller chooses what stands in other headers."""


def _manager(site: Site) -> str:
    general: list[Pair] = [
        ("enabled", "yes"),
        ("bindaddr", "127.0.0.1"),
        ("port", site.ami_port),
        ("webenabled", "no"),
        ("displayconnects", "no"),
        ("timestampevents", "yes"),
        # not even made: each step of the dialplan would wake every AMI session, some 150 times a call
        ("disabledevents", ",".join(_UNMADE)),
    ]
    service = _user(
        site,
        site.service,
        read="system,call,agent,user,dtmf,reporting",
        write="system,call,agent,user,originate,reporting,config",
        without=_NOISE,
    )
    if site.version >= (22, 0, 0):
        # an older one can only search the whole event: there `cti.asterisk.hear` leaves them out alone
        service += "".join(
            f"eventfilter(action(exclude),name({event}),header({header}),method(starts_with))"
            f" = Local/s@{QUESTION}\n"
            for event, header in _OF_A_QUESTION.items()
        )
    observer = _user(
        site,
        site.observer,
        read="system,call,agent,user,dtmf,reporting,cdr",
        # CoreShowChannels and BridgeList ask for reporting; nothing of this class changes anything
        write="reporting",
        without=_UNMADE,
    )
    return "\n".join((section("general", general), service, observer))


def _user(site: Site, user: AmiUser, *, read: str, write: str, without: tuple[str, ...]) -> str:
    pairs: list[Pair] = [
        ("secret", user.secret),
        ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", "127.0.0.1/255.255.255.255"),
        ("read", read),
        ("write", write),
        # Asterisk cuts a client that blocks longer, by default after 100 ms
        ("writetimeout", 5000),
    ]
    if site.version >= (22, 0, 0):
        pairs += [(f"eventfilter(action(exclude),name({name}))", "") for name in without]
    else:
        pairs += [("eventfilter", f"!Event: {name}$") for name in without]
    return section(user.name, pairs)


def _http(site: Site) -> str:
    return section("general", [("enabled", "yes"), ("bindaddr", "127.0.0.1"), ("bindport", site.http_port)])


def _music(site: Site) -> str:
    if not site.music_dir:
        return section("general", [])
    return section("default", [("mode", "files"), ("directory", site.music_dir), ("sort", "alpha")])


_INDICATIONS = section("general", [("country", "cn")]) + section(
    # tones of the Chinese network: 450 Hz (ITU-T E.180 supplement)
    "cn",
    [
        ("description", "China"),
        ("ringcadence", "1000,4000"),
        ("dial", 450),
        ("busy", "450/350,0/350"),
        ("ring", "450/1000,0/4000"),
        ("congestion", "450/700,0/700"),
        ("callwaiting", "450/400,0/4000"),
        ("dialrecall", 450),
        ("record", "950/400,0/10000"),
        ("info", "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400"),
        ("stutter", "450+425"),
    ],
)

_CDR = section("general", [("enable", "yes"), ("unanswered", "yes"), ("congestion", "yes")]) + section(
    # log/cdr-csv/Master.csv: UTC, with accountcode (CALL_ID) and Uniqueid, for recounting
    "csv",
    [("usegmtime", "yes"), ("loguniqueid", "yes"), ("loguserfield", "yes"), ("accountlogs", "no")],
)

_CONFBRIDGE = (
    section("general", [])
    + section("default_user", [("type", "user"), ("quiet", "yes"), ("music_on_hold_when_empty", "no")])
    + section("default_bridge", [("type", "bridge"), ("internal_sample_rate", 8000), ("mixing_interval", 20)])
)

__all__ = ["machine_files", "yes"]
