"""docs/checks.md lists the gate's rules, each as it stands at its function."""

import re
from collections.abc import Iterator

from helpers import PROJECT
from roadworthy.gate.check import RULES

GROUPS = {
    "names": "The set, and names",
    "archives": "The archive",
    "metadata": "Metadata",
    "contents": "Contents",
    "binary": "The native module",
}


def entries() -> Iterator[str]:
    """Return what the document has to say: the heading of each group, and below it an entry for each rule."""
    modules = {name: rule.module.removeprefix("roadworthy.gate.") for name, rule in RULES.items()}
    assert set(modules.values()) == set(GROUPS)
    for module, title in GROUPS.items():
        yield f"## {title}"
        for name, rule in RULES.items():
            if modules[name] == module:
                heading = f"### {name}{' (ours)' if rule.needs_project else ''}"
                reasons = f"- Why: {rule.why}\n- Source: {rule.source}\n- Remedy: {rule.remedy}"
                yield f"{heading}\n\n{rule.what}\n\n{reasons}"


def test_every_rule_is_in_the_documentation() -> None:
    text = (PROJECT.root / "docs" / "checks.md").read_text(encoding="utf-8").partition("\n## Who catches what\n")[0]
    said, wanted = [each.strip() for each in re.split(r"\n(?=###? )", text)[1:]], list(entries())
    stale = "\n\n".join(entry for entry in said if entry not in wanted)
    lacking = "\n\n".join(entry for entry in wanted if entry not in said)
    assert said == wanted, f"take out of docs/checks.md:\n\n{stale}\n\nand write, each at its place:\n\n{lacking}"
