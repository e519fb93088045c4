"""What stands in the engine's README, and is made from what it is about.

usage: python roadworthy/tests/engine_readme.py writes it
"""

import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in (".", "roadworthy/tests", "workshop/tests")]

from helpers import PROJECT, run  # noqa: E402
from linked import GLIBC, elf, native_wheel  # noqa: E402
from roadworthy.gate import rules  # noqa: E402

README = ROOT / "roadworthy" / "README.md"
ADDRESS = "https://github.com/rust-wheelwrights/ferrous-wheel/blob/main"
OF_RULES = Path(rules.__file__).with_name("rules.md").read_text(encoding="utf-8")
END = "<!-- end -->\n"


def make_downloads(folder: Path) -> None:
    """Write a folder of wheels: a good one, one that PyPI refuses, and one that its users cannot load."""
    folder.mkdir()
    native_wheel(folder, "cp310-abi3-linux_x86_64", {"pkg/_core.abi3.so": elf()})
    native_wheel(folder, "cp310-abi3-manylinux_2_28_aarch64", {"pkg/_core.abi3.so": elf(machine="aarch64")})
    ssl = elf(needs=(GLIBC, ("libssl.so.3", "")))
    native_wheel(folder, "cp310-abi3-manylinux_2_17_x86_64", {"pkg/_core.abi3.so": ssl})


def example(*command: object) -> str:
    """Return what the command says of that folder."""
    with tempfile.TemporaryDirectory() as temporary:
        make_downloads(Path(temporary, "downloads"))
        done = run(*command, "check", "downloads", cwd=Path(temporary))
    return (
        f"```console\n$ uvx roadworthy check downloads\n{done.stderr}{done.stdout}$ echo $?\n{done.returncode}\n```\n"
    )


def themes() -> dict[str, list[str]]:
    """Return the rules of each part of rules.md."""
    parts = re.split(r"^## (.+)$", OF_RULES, flags=re.MULTILINE)[1:]
    return {
        title: re.findall(r"^### (\S+)", text, re.MULTILINE) for title, text in zip(*[iter(parts)] * 2, strict=True)
    }


def listed_rules() -> str:
    """Return the rules by theme; those for copies of the template are marked."""
    found, lines = rules.entries(), []
    for title, names in themes().items():
        anchor = re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-")
        marked = ", ".join(name + "\\*" * found[name].ours for name in names)
        lines.append(f"- [{title}]({ADDRESS}/roadworthy/src/roadworthy/gate/rules.md#{anchor}): {marked}")
    return "\n".join([*lines, "", "\\* only in a copy of the template, whose facts it compares with.", ""])


def other_tools() -> str:
    """Return how many mistakes of each theme each tool refuses, from the whole table in docs/checks.md."""
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"(?m)^\| .*", PROJECT.read("docs/checks.md").partition("## Who catches what")[2])
    ]
    tools, of_rule = head[2:], {name: title for title, names in themes().items() for name in names}
    count = {title: Counter[str]() for title in themes()}
    for _, rule, *verdicts in (row for row in rows if row[1]):
        refused = [tool for tool, verdict in zip(tools, verdicts, strict=True) if verdict == "yes"]
        count[of_rule[rule]].update([*refused, "mistakes"])
    count["**all**"] = sum(count.values(), Counter[str]())
    columns = ["mistakes", *tools]
    lines = [[title, *(str(found[column]) for column in columns)] for title, found in count.items() if found]
    shown = ["", *(column.replace("check_dist", "roadworthy") for column in columns)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in (shown, ["---"] * len(shown), *lines))
    about = f"Releases with one thing wrong, and how many are refused; [one by one]({ADDRESS}/docs/checks.md)."
    return f"{about} PyPI refuses when a part of the release may be out already.\n\n{table}\n"


def blocks() -> dict[str, str]:
    """Return each part of the README that is made."""
    return {
        "example": example(sys.executable, "-m", "roadworthy"),
        "rules": listed_rules(),
        "tools": other_tools(),
    }


def main() -> None:
    """Write them."""
    text = README.read_text(encoding="utf-8")
    for name, block in blocks().items():
        begin = f"<!-- {name} -->\n"
        before, _, after = text.partition(begin)
        text = f"{before}{begin}{block}{END}{after.partition(END)[2]}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
