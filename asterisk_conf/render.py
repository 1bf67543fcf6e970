"""plan + site -> every configuration file of Asterisk, as text. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from asterisk_conf.dialplan import extensions_conf
from asterisk_conf.machine import machine_files
from asterisk_conf.pjsip import pjsip_conf
from asterisk_conf.queues import queues_conf
from asterisk_conf.site import Site
from asterisk_conf.transfer import features, room_keys
from asterisk_conf.waiting import queue_rules, say_conf
from plan.model import Plan

HEAD = "; written by `cti plan apply` from the plan: an edit here is lost at the next one\n\n"


def render(plans: Sequence[Plan], site: Site) -> dict[str, str]:
    """File name to text, for the folder that asterisk.conf calls astetcdir.

    ``failsafe.json`` is for the classic AGI program: where each line's callers go without advice.
    """
    cities = sorted(plans, key=lambda plan: plan.id)
    files = dict(machine_files(site, features(cities), room_keys(cities)))
    files["pjsip.conf"] = pjsip_conf(cities, site)
    files["queues.conf"] = queues_conf(cities, site)
    files["queuerules.conf"] = queue_rules(cities)
    files["say.conf"] = say_conf(cities)
    files["extensions.conf"] = extensions_conf(cities, site, "")
    files = {name: HEAD + text for name, text in sorted(files.items())}
    files["failsafe.json"] = json.dumps(failsafe(cities), indent=1) + "\n"
    digest = plan_hash(files)
    files["extensions.conf"] = HEAD + extensions_conf(cities, site, digest)
    return files


def plan_hash(files: Mapping[str, str]) -> str:
    """sha256 over everything rendered, with the hash itself left empty."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


def failsafe(plans: Sequence[Plan]) -> dict[str, dict[str, str]]:
    """City to line to its first destination."""
    return {plan.id: {name: line.first for name, line in plan.lines.items()} for plan in plans}
