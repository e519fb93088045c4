"""Print docs/checks.md's list of rules, from the rules' own docstrings."""

from roadworthy.gate import check as check_dist  # noqa: F401 - importing it registers the rules
from roadworthy.gate.model import RULES

GROUPS = {
    "names": "The set, and names",
    "archives": "The archive",
    "metadata": "Metadata",
    "contents": "Contents",
    "binary": "The native module",
}


def main() -> None:
    """Print the document up to the table that is measured."""
    print("# Checks\n")
    print("What `make check-dist` refuses, by rule. Generated from scripts/gate/ by `make check-table`.")
    print("Rules marked *ours* compare with this project's own facts; the others hold for every package.")
    for module, title in GROUPS.items():
        print(f"\n## {title}")
        for rule in RULES.values():
            if rule.check.__module__ == f"gate.{module}":
                print(f"\n### {rule.name}{' (ours)' if rule.needs_project else ''}\n")
                print(f"{rule.what}\n\n- Why: {rule.why}\n- Source: {rule.source}\n- Remedy: {rule.remedy}")


if __name__ == "__main__":
    main()
