"""A plan with a mistake is refused in one clear line: file, place, fault, hint."""

from __future__ import annotations

import re

import pytest

from plan.check import Sound, together
from plan.model import Plan
from tests.story.plan_files import GOOD_SOUND, Edit, Files, add, checked, demo, demo_files


def swap(file: str, old: str, new: str) -> Edit:
    def edit(files: Files) -> None:
        text = files[file].decode()
        assert text.count(old) >= 1, f"{old!r} is not in {file}"
        files[file] = text.replace(old, new, 1).encode()

    return edit


def put(file: str, content: bytes) -> Edit:
    def edit(files: Files) -> None:
        files[file] = content

    return edit


def drop(file: str) -> Edit:
    def edit(files: Files) -> None:
        del files[file]

    return edit


def long_road(files: Files) -> None:
    for name, after in (("q1", "q2"), ("q2", "q3"), ("q3", "q4"), ("q4", "general")):
        add("queues.toml", f'[{name}]\ntitle = "x"\nmembers = {{ 1001 = 0 }}\nnext = "queue:{after}"')(files)
    swap("lines.toml", 'first = "queue:fund"', 'first = "queue:q1"')(files)


MISTAKES: dict[str, tuple[Edit, str]] = {
    "a queue misspelt": (
        swap("lines.toml", 'first = "queue:market"', 'first = "queue:marekt"'),
        "lines.toml: 12315.first: no such queue 'marekt' (did you mean 'market'?)",
    ),
    "an unknown key": (
        swap("queues.toml", "ring_seconds", "ring_secnds"),
        "queues.toml: general.ring_secnds: unknown key 'ring_secnds' (did you mean 'ring_seconds'?)",
    ),
    "text where a number belongs": (
        swap("queues.toml", "wait_seconds = 90", 'wait_seconds = "90"'),
        "queues.toml: general.wait_seconds: '90' is not a whole number (without quotes)",
    ),
    "a fraction where a whole number belongs": (
        swap("queues.toml", "wait_seconds = 90", "wait_seconds = 90.5"),
        "queues.toml: general.wait_seconds: 90.5 is not a whole number (without quotes)",
    ),
    "text where a list belongs": (
        swap("lines.toml", 'numbers = ["12315"]', 'numbers = "12315"'),
        'lines.toml: 12315.numbers: \'12315\' is not a list (like ["a", "b"])',
    ),
    "a word where yes or no belongs": (
        swap("trunks.toml", "lab = true", 'lab = "yes"'),
        "trunks.toml: carrier.lab: 'yes' is not true or false (without quotes)",
    ),
    "city.toml missing": (drop("city.toml"), "city.toml: is missing (it names the city: id, title, last)"),
    "a file misspelt": (
        put("queue.toml", b""),
        "queue.toml: no plan file has this name (did you mean 'queues.toml'?)",
    ),
    "bad TOML": (
        add("seats.toml", "[1009\ntitle = 1"),
        "seats.toml: line 32: not TOML: Expected ']' at the end of a table declaration "
        "(a line is: key = value, text in straight quotes)",
    ),
    "full-width quotes": (
        swap("city.toml", 'id = "demo"', "id = “demo”"),
        "city.toml: line 2: not TOML: Invalid value (full-width '“' outside of a text: write '\"')",
    ),
    "the same table twice": (
        add("seats.toml", "[1001]"),
        "seats.toml: line 32: not TOML: the same key or table stands there twice (keep one of them)",
    ),
    "a file that is not UTF-8": (
        put("messages.toml", '[busy]\ntitle = "综合"'.encode("gbk")),
        "messages.toml: line 2: is not UTF-8 text (save the file as UTF-8, not GBK)",
    ),
    "a file of megabytes": (
        put("messages.toml", b"#" * 2_000_000),
        "messages.toml: is 2000000 bytes long (at most 1000000)",
    ),
    "a number of two lines": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["12329", "12315"]'),
        "lines.toml: 12329.numbers: '12315' belongs to line '12315' too (a number has one line)",
    ),
    "a number twice in one line": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["12329", "12329"]'),
        "lines.toml: 12329.numbers: '12329' stands there twice (keep one)",
    ),
    "a number that is a seat's": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["1001"]'),
        "lines.toml: 12329.numbers: '1001' is a seat's number too (give the seat another one)",
    ),
    "no numbers": (
        swap("lines.toml", 'numbers = ["12329"]', "numbers = []"),
        "lines.toml: 12329.numbers: is empty (at least 1)",
    ),
    "letters in a number": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["12E29"]'),
        "lines.toml: 12329.numbers.0: '12E29' is not a telephone number "
        "(2 to 15 digits, + may stand before them)",
    ),
    "full-width digits": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["１２３２９"]'),
        "lines.toml: 12329.numbers.0: '１２３２９' is not a telephone number (write '12329')",
    ),
    "hyphens in a number": (
        swap("lines.toml", 'numbers = ["12329"]', 'numbers = ["0555-12329"]'),
        "lines.toml: 12329.numbers.0: '0555-12329' is not a telephone number (write '055512329')",
    ),
    "a queue without a way out": (
        swap("queues.toml", 'next = "message:busy"', ""),
        "queues.toml: general.next: is missing (every table of this kind needs it)",
    ),
    "a circle of queues": (
        swap("queues.toml", 'next = "message:busy"', 'next = "queue:market"'),
        "queues.toml: market.next: callers would go in a circle: "
        "queue:general -> queue:market -> queue:general (let one end in a message)",
    ),
    "a queue that leads to itself": (
        swap("queues.toml", 'next = "message:busy"', 'next = "queue:general"'),
        "queues.toml: general.next: callers would go in a circle: "
        "queue:general -> queue:general (let one end in a message)",
    ),
    "a road too long": (
        long_road,
        "lines.toml: 12329.first: a caller could pass 6 places one after the other (at most 5)",
    ),
    "a menu key that telephones do not have": (
        swap("menus.toml", '9 = "message:leave"', 'x = "message:leave"'),
        "menus.toml: service.keys.x: 'x' is not a menu key (0 to 9 or *; # ends an input in Asterisk)",
    ),
    "a menu key twice": (
        swap("menus.toml", '2 = "queue:fund"', '1 = "queue:fund"'),
        "menus.toml: line 12: not TOML: the same key or table stands there twice (keep one of them)",
    ),
    "a hint for a key that the menu does not have": (
        swap("menus.toml", '[service.units]\n1 = "market"', '[service.units]\n7 = "market"'),
        "menus.toml: service.units.7: the menu has no key '7' (there are: 0, 1, 2, 9)",
    ),
    "a kind for a key that the menu does not have": (
        swap("menus.toml", "[service.units]", '[service.kinds]\n5 = "complaint"\n[service.units]'),
        "menus.toml: service.kinds.5: the menu has no key '5' (there are: 0, 1, 2, 9)",
    ),
    "a hint for a unit that does not exist": (
        swap("menus.toml", '1 = "market"', '1 = "marekt"'),
        "menus.toml: service.units.1: no such unit 'marekt' (did you mean 'market'?)",
    ),
    "a menu without keys": (
        put(
            "menus.toml",
            b'service = {title="x", prompt="menu-main", keys={}, otherwise="queue:general"}',
        ),
        "menus.toml: service.keys: is empty (at least 1)",
    ),
    "negative seconds": (
        swap("queues.toml", "wait_seconds = 90", "wait_seconds = -1"),
        "queues.toml: general.wait_seconds: -1 is too small (at least 5)",
    ),
    "a wait of eleven days": (
        swap("queues.toml", "wait_seconds = 90", "wait_seconds = 1000000"),
        "queues.toml: general.wait_seconds: 1000000 is too large (at most 7200)",
    ),
    "a number with a thousand digits": (
        swap("queues.toml", "wait_seconds = 90", "wait_seconds = 9" + "0" * 1000),
        "queues.toml: general.wait_seconds: this number is too large (at most 7200)",
    ),
    "an unknown prompt": (
        swap("messages.toml", 'prompt = "sorry-busy"', 'prompt = "sorry-bussy"'),
        "messages.toml: sorry.prompt: no such prompt 'sorry-bussy' (did you mean 'sorry-busy'?)",
    ),
    "a prompt with nothing to say": (
        add("prompts.toml", "[silence]"),
        'prompts.toml: silence: has neither text nor wav (add text = "…")',
    ),
    "a wav that is not there": (
        add("prompts.toml", '[own]\nwav = "sounds/own.wav"'),
        "prompts.toml: own.wav: no such file 'sounds/own.wav' "
        "(there are: bad.wav, cd.wav, good.wav, menu-say-keys.wav, menu-service.wav)",
    ),
    "a wav that is none": (
        add("prompts.toml", '[own]\nwav = "bad.wav"'),
        "prompts.toml: own.wav: 'bad.wav' cannot be played: no RIFF header (8000 Hz, mono, 16 bit PCM)",
    ),
    "a wav of a compact disc": (
        add("prompts.toml", '[own]\nwav = "cd.wav"'),
        "prompts.toml: own.wav: 'cd.wav' is 44100 Hz, 2 channel(s), 16 bit "
        "(sox cd.wav -r 8000 -c 1 -b 16 new.wav)",
    ),
    "a wav outside of the folder": (
        add("prompts.toml", '[own]\nwav = "../../etc/passwd.wav"'),
        "prompts.toml: own.wav: '../../etc/passwd.wav' is not a wav file of this folder "
        "(like sounds/welcome.wav, lower case, no '..')",
    ),
    "a carrier's address that is none": (
        swap("trunks.toml", "192.0.2.10", "192.0.2.300"),
        "trunks.toml: carrier.hosts.0: '192.0.2.300' is not an IPv4 address "
        "(like 192.0.2.10, sip.carrier.example or 192.0.2.10:5062)",
    ),
    "a port that does not exist": (
        swap("trunks.toml", "192.0.2.10", "192.0.2.10:70000"),
        "trunks.toml: carrier.hosts.0: port 70000 does not exist (1 to 65535)",
    ),
    "an address of two trunks": (
        add("trunks.toml", '[second]\nhosts = ["192.0.2.10:5062"]'),
        "trunks.toml: second.hosts: '192.0.2.10:5062' belongs to trunk 'carrier' too "
        "(an address has one trunk)",
    ),
    "a trunk without an address": (
        add("trunks.toml", "[second]\nhosts = []"),
        "trunks.toml: second.hosts: is empty (the addresses the carrier sends from)",
    ),
    "a seat that does not exist": (
        swap("queues.toml", "1008 = 0", "1009 = 0"),
        "queues.toml: expert.members: no such seat '1009' (did you mean '1008'?)",
    ),
    "a queue without seats": (
        swap("queues.toml", "members = { 1007 = 0, 1008 = 0 }", "members = {}"),
        "queues.toml: expert.members: is empty (at least 1)",
    ),
    "a seat named with letters": (
        add("seats.toml", "[anna]"),
        "seats.toml: 'anna': is not a seat's number (3 to 6 digits)",
    ),
    "a penalty below nothing": (
        swap("queues.toml", "1007 = 0", "1007 = -1"),
        "queues.toml: expert.members.1007: -1 is too small (at least 0)",
    ),
    "an unknown strategy": (
        swap("queues.toml", "ring_seconds = 15", 'strategy = "leastrecnt"'),
        "queues.toml: general.strategy: 'leastrecnt' is not known here (did you mean 'leastrecent'?)",
    ),
    "a place that is none": (
        swap("lines.toml", 'first = "queue:market"', 'first = "market"'),
        "lines.toml: 12315.first: 'market' is not a place "
        "(like queue:general, menu:main, message:sorry or line:main)",
    ),
    "a kind of place misspelt": (
        swap("lines.toml", 'first = "queue:market"', 'first = "que:market"'),
        "lines.toml: 12315.first: 'que:market' is not a place (did you mean 'queue:'?)",
    ),
    "a last place that does not speak": (
        swap("city.toml", "message:sorry", "queue:general"),
        "city.toml: last: 'queue:general' is not a message (every road ends in one that speaks)",
    ),
    "no last place": (
        swap("city.toml", 'last = "message:sorry"', ""),
        "city.toml: last: is missing (the message at the end of every road, like message:sorry)",
    ),
    "a city with another name than its folder": (
        swap("city.toml", 'id = "demo"', 'id = "dema"'),
        "city.toml: id: 'dema' is not the folder's name 'demo' (rename one of them)",
    ),
    "an unknown time zone": (
        swap("city.toml", "Asia/Shanghai", "Asia/Shangai"),
        "city.toml: timezone: unknown time zone 'Asia/Shangai' (did you mean 'Asia/Shanghai'?)",
    ),
    "a value outside of any table": (
        put("seats.toml", b'title = "x"'),
        "seats.toml: title: stands outside of a table (put it below a line like [1001])",
    ),
    "a name with capitals": (
        add("queues.toml", '[General2]\ntitle = "x"\nmembers = { 1001 = 0 }\nnext = "message:busy"'),
        "queues.toml: 'General2': is not a name (lower case letters, digits and hyphens, at most 24)",
    ),
    "lines but no trunk": (
        drop("trunks.toml"),
        "trunks.toml: no trunk, but lines: nobody could call (add [carrier] with its hosts)",
    ),
    "an empty title": (
        swap("queues.toml", 'title = "综合"', 'title = " "'),
        "queues.toml: general.title: is empty (say it in words)",
    ),
    "a title of a hundred characters": (
        swap("queues.toml", 'title = "综合"', f'title = "{"综" * 100}"'),
        "queues.toml: general.title: is 100 characters long (at most 60)",
    ),
    "advice for every caller": (
        swap("advice.toml", '"12358*"', '"*"'),
        "advice.toml: advice 1.callers.0: '*' means every caller (put that into the line's 'first')",
    ),
    "advice for a line that does not exist": (
        swap("advice.toml", 'lines = ["main"]', 'lines = ["mian"]'),
        "advice.toml: advice 1.lines: no such line 'mian' (did you mean 'main'?)",
    ),
    "a queue that overflows into itself": (
        swap("advice.toml", 'to = "queue:general"', 'to = "queue:expert"'),
        "advice.toml: overflow 1.to: a queue cannot overflow into itself (name another place)",
    ),
    "a queue that greets again": (
        swap("queues.toml", 'next = "message:busy"', 'next = "line:service"'),
        "queues.toml: general.next: a queue's way out cannot greet the caller again "
        "(name a queue, menu or message)",
    ),
}

SOUNDS = {
    "good.wav": GOOD_SOUND,
    "cd.wav": Sound(44100, 2, 16, 3.0),
    "bad.wav": Sound(fault="no RIFF header"),
}
LINE = re.compile(r"[a-z]+\.toml: (?:\S.*: )?\S.* \(.+\)")


def test_the_demo_plan_has_no_fault() -> None:
    assert checked(demo_files()).faults == ()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_clear_line(mistake: str) -> None:
    edit, line = MISTAKES[mistake]
    files = demo_files()
    edit(files)
    found = checked(files, SOUNDS)
    assert found.refused
    told = [str(fault) for fault in found.faults]
    assert line in told
    for text in told:
        assert LINE.fullmatch(text), text


def test_there_are_at_least_thirty_kinds_of_mistakes() -> None:
    assert len(MISTAKES) >= 30


def test_mistakes_in_several_files_are_all_told_at_once() -> None:
    files = demo_files()
    wanted = set()
    for mistake in (
        "a queue misspelt",
        "an unknown key",
        "an unknown prompt",
        "bad TOML",
        "an unknown time zone",
    ):
        edit, line = MISTAKES[mistake]
        edit(files)
        wanted.add(line)
    assert wanted <= {str(fault) for fault in checked(files, SOUNDS).faults}


def test_a_fault_in_a_table_is_no_fault_of_those_who_name_it() -> None:
    files = demo_files()
    swap("queues.toml", "wait_seconds = 90", "wait_seconds = -1")(files)
    assert len(checked(files).faults) == 1


def test_a_table_with_a_fault_still_has_its_places_checked() -> None:
    files = demo_files()
    swap("queues.toml", "wait_seconds = 90", "wait_seconds = -1")(files)
    swap("queues.toml", 'next = "message:busy"', 'next = "message:bussy"')(files)
    swap("lines.toml", 'greeting = "greeting-12315"', 'greeting = "greeting-12314"\nlevel = 3')(files)
    assert [str(fault).split(": ", 2)[1] for fault in checked(files).faults] == [
        "12315.level",
        "12315.greeting",
        "general.wait_seconds",
        "general.next",
    ]


def test_a_seat_in_no_queue_is_a_warning() -> None:
    files = demo_files()
    add("seats.toml", "[1009]")(files)
    found = checked(files)
    assert not found.refused
    assert [str(f) for f in found.faults] == [
        "seats.toml: 1009: sits in no queue: no caller will ever ring here [warning] "
        "(add it to a queue's members)"
    ]


def test_a_good_recording_is_accepted() -> None:
    files = demo_files()
    add("prompts.toml", '[own]\nwav = "good.wav"')(files)
    assert checked(files, SOUNDS).faults == ()


def test_a_county_without_numbers_of_its_own_is_a_valid_plan() -> None:
    found = checked({"city.toml": 'id = "zezhou"\ntitle = "泽州县"'.encode()}, folder="zezhou")
    assert found.faults == ()


def test_two_cities_cannot_share_a_trunk() -> None:
    first = demo()
    other = first.model_copy(update={"city": first.city.model_copy(update={"id": "other"})})
    assert [str(f) for f in together([first, other])][:1] == [
        "other/trunks.toml: carrier.hosts: '192.0.2.10' is a trunk of 'demo' too "
        "(a call's trunk decides its city: give each city its own)"
    ]


def test_a_checked_plan_is_a_valid_plan() -> None:
    plan = demo()
    assert Plan.model_validate(plan.model_dump()) == plan
