"""READBACK.md: what the recogniser heard in the shipped prompts, for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asterisk_conf.prompts import Made, Prompt
from cti.speech.readback import GRAMMAR_KINDS, WORST_SER, characters

_HEAD = """# Prompts read back 语音提示回读

Written by `cti prompts check`: vosk-model-small-cn-0.22 listened to each shipped file (8 kHz A-law).
Words of kinds {grammar} are read against a grammar of all such words and must be exact; everything else is
read freely and may have at most {limit:.0%} wrong syllables (SER; a homophone is right by sound). CER counts
characters, so 工号 spelt 公号 is an error there. Neither says how the voice sounds: listen.

{count} prompts, {seconds:.0f} s of speech. CER of all sentences {cer:.1%}, SER {ser:.1%};
word for word: {exact}.
"""


def written(prompts: Sequence[Prompt], account: Mapping[str, Made]) -> str:
    """The report; only prompts that were not read word for word are listed one by one."""
    free = [p for p in prompts if p.kind not in GRAMMAR_KINDS]
    lengths = {p.id: max(1, len(characters(p.expected))) for p in free}
    total = max(1, sum(lengths.values()))
    head = _HEAD.format(
        grammar=", ".join(sorted(GRAMMAR_KINDS)),
        limit=WORST_SER,
        count=len(prompts),
        seconds=sum(account[p.id].seconds for p in prompts),
        cer=sum((account[p.id].cer or 0) * lengths[p.id] for p in free) / total,
        ser=sum((account[p.id].ser or 0) * lengths[p.id] for p in free) / total,
        exact=f"{sum(account[p.id].cer == 0 for p in prompts)} of {len(prompts)}",
    )
    rows = ["", "| prompt | spoken | heard | CER | SER |", "|---|---|---|---|---|"]
    for prompt in prompts:
        facts = account[prompt.id]
        if facts.cer:
            rates = f"{facts.cer:.0%} | {facts.ser or 0:.0%}"
            rows.append(f"| {prompt.id} | {prompt.expected} | {facts.heard} | {rates} |")
    return head + "\n".join(rows) + "\n"
