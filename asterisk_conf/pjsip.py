"""pjsip.conf: a trunk is known by the address it sends from, a seat by its password."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asterisk_conf.ini import Pair, section
from asterisk_conf.site import Site
from plan.model import Plan, Trunk
from plan.words import host_of

HELD = 600
"""Seconds that a leg which put us on hold may send nothing: many living ones do not
(``asterisk_conf.held`` has the dead ones of seats)."""


def pjsip_conf(plans: Sequence[Plan], site: Site) -> str:
    """The whole file. Raises KeyError when a seat has no password in ``site``."""
    parts = list(_common(site))
    for plan in plans:
        for name, trunk in plan.trunks.items():
            parts += _trunk(plan.id, name, trunk, site)
        for number in plan.seats:
            parts += _seat(plan.id, number, plan.city.dead_after_seconds, site)
    return "\n".join(parts)


def _common(site: Site) -> Iterator[str]:
    yield section(
        "global",
        [
            ("type", "global"),
            ("user_agent", "hotline12345"),
            # A phone names itself in From; a carrier is known by its address. In this order a phone and a
            # carrier may share an address. Whoever claims a seat's name still has to know its password.
            ("endpoint_identifier_order", "username,ip"),
        ],
    )
    # below the threads of a small machine; more only adds switching
    yield section("system", [("type", "system"), ("threadpool_initial_size", 5), ("threadpool_max_size", 20)])
    for protocol in ("udp", "tcp"):
        yield section(
            protocol,
            [
                ("type", "transport"),
                ("protocol", protocol),
                ("bind", f"{site.bind}:{site.sip_port}"),
                *_outside(site),
            ],
        )


def _outside(site: Site) -> list[Pair]:
    """Behind a router a phone outside would otherwise send its voice to an address that is not there."""
    if not site.outside_address:
        return []
    outside: list[Pair] = [
        ("external_signaling_address", site.outside_address),
        ("external_media_address", site.outside_address),
    ]
    return [*outside, *(("local_net", network) for network in site.local_networks)]


def _media(site: Site) -> list[Pair]:
    pairs: list[Pair] = [("dtmf_mode", "rfc4733"), ("direct_media", "no"), ("language", "zh")]
    if site.media_address:
        # on loopback the SDP would otherwise name another interface
        pairs += [("media_address", site.media_address), ("bind_rtp_to_media_address", "yes")]
    return pairs


def _trunk(city: str, name: str, trunk: Trunk, site: Site) -> Iterator[str]:
    endpoint = f"{city}-{name}"
    out = (site.trunk_out.get(endpoint, "") if trunk.lab else "") or trunk.out
    yield section(
        endpoint,
        [
            ("type", "endpoint"),
            ("context", f"{city}-from-{name}"),
            ("disallow", "all"),
            ("allow", ",".join(trunk.codecs)),
            ("identify_by", "ip"),
            # P-Asserted-Identity of a carrier is the caller's number
            ("trust_id_inbound", "yes"),
            *(
                [
                    ("aors", endpoint),
                    ("send_pai", "yes"),
                    ("trust_id_outbound", "yes"),
                    # a caller is told no seat's number, and gets no re-INVITE when somebody answers
                    ("send_connected_line", "no"),
                ]
                if out
                else ()
            ),
            # a carrier or centre that dies says no BYE, and would keep a seat, or a caller, for hours
            ("rtp_timeout", trunk.silent_after_seconds),
            ("rtp_timeout_hold", max(HELD, trunk.silent_after_seconds)),
            *_media(site),
        ],
    )
    if out:
        yield section(
            endpoint,
            [
                ("type", "aor"),
                ("contact", f"sip:{out}"),
                # a dead one is skipped at once
                ("qualify_frequency", 2),
                ("qualify_timeout", 1.0),
            ],
        )
    hosts = [host_of(host) for host in trunk.hosts]
    if trunk.lab:
        hosts += site.trunk_hosts.get(endpoint, ())
    if hosts:
        matches: list[Pair] = [("match", host) for host in dict.fromkeys(hosts)]
        yield section(
            endpoint, [("type", "identify"), ("endpoint", endpoint), ("srv_lookups", "no"), *matches]
        )


def _seat(city: str, number: str, dead_after: int, site: Site) -> Iterator[str]:
    name = f"{city}-{number}"
    yield section(
        name,
        [
            ("type", "endpoint"),
            ("context", f"{city}-seats"),
            ("disallow", "all"),
            ("allow", "alaw,ulaw"),
            ("identify_by", "username"),
            ("auth", name),
            ("aors", name),
            ("callerid", f"<{number}>"),
            ("rtp_symmetric", "yes"),
            ("force_rport", "yes"),
            ("rewrite_contact", "yes"),
            ("allow_subscribe", "no"),
            # a phone that lost power says no BYE: its silence is taken for it (decision 6)
            ("rtp_timeout", dead_after),
            ("rtp_timeout_hold", HELD),
            *_media(site),
        ],
    )
    yield section(
        name,
        [
            ("type", "auth"),
            ("auth_type", "userpass"),
            ("username", name),
            ("password", site.seat_passwords[name]),
        ],
    )
    yield section(
        name,
        [
            ("type", "aor"),
            # one seat, one phone: the one that registered last
            ("max_contacts", 1),
            ("remove_existing", "yes"),
            # a phone that drops off the network must not ring for nobody
            # and one that registered again counts as unreachable until it answered its first question
            ("qualify_frequency", 3),
            ("qualify_timeout", 2.0),
            ("default_expiration", 120),
            ("maximum_expiration", 600),
        ],
    )
