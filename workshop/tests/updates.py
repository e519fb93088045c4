"""What people and templates do to the same file, in all pairs, and what must be found afterwards.

A scenario is a folder of its own with one file and two beside it, whose content occurs in no other scenario.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

PLAIN, EXECUTABLE, LINK = "100644", "100755", "120000"
# A folder's files: the mode and the content of each.
State = dict[str, tuple[str, bytes]]
Fact = Callable[[State], bool]

FILE, MOVED, COMPANION = "file.txt", "moved.txt", "companion.txt"
# Two links that differ, and that both lead somewhere.
TARGETS = {"user": b"companion.txt", "template": b"second.txt"}
# What each side does to the file of a text, and to that of an image.
TO_TEXT = (
    *("nothing", "edit", "edit alike", "edit elsewhere", "move", "move and edit", "move elsewhere", "delete", "chmod"),
    *("symlink", "binary", "add", "add alike", "line endings"),
)
TO_BYTES = ("nothing", "binary", "move", "move elsewhere", "delete", "chmod", "symlink", "add")


def noise(*words: str) -> bytes:
    """Return bytes that are no text, the same for the same words."""
    return b"\0\1" + random.Random(" ".join(words)).randbytes(400)


@dataclass(frozen=True)
class Scenario:
    """What the user and the template do to the file of one folder."""

    kind: str
    user: str
    template: str

    @property
    def folder(self) -> str:
        return f"{self.kind}/{self.user}/{self.template}".replace(" ", "-")

    def action(self, side: str) -> str:
        return self.user if side == "user" else self.template

    @property
    def base(self) -> State:
        """The folder as the first version of the template has it."""
        text = "".join(f"{number} of {self.folder}\n" for number in range(1, 21)).encode()
        content = text if self.kind == "text" else noise(self.folder)
        beside = {name.decode(): (PLAIN, b"%s of %s\n" % (name, self.folder.encode())) for name in TARGETS.values()}
        return {FILE: (PLAIN, content), **beside}

    def after(self, side: str) -> State:
        """The folder after the user, or the template, has done its part."""
        return change(self.base, self.action(side), side)

    def facts(self, side: str) -> list[Fact]:
        """Return what can be seen of that part in a folder."""
        return facts_of(self, side)


def change(state: State, action: str, side: str) -> State:
    """Return a folder's files after an action."""
    mode, content = state[FILE]
    without = {name: entry for name, entry in state.items() if name != FILE}
    edited = content.replace(b"3 of", f"3 by {side} of".encode(), 1)
    alike = content.replace(b"3 of", b"3 by both of", 1)
    elsewhere = content.replace(b"17 of", f"17 by {side} of".encode())
    results: dict[str, State] = {
        "nothing": state,
        "edit": {**state, FILE: (mode, edited)},
        "edit alike": {**state, FILE: (mode, alike)},
        "edit elsewhere": {**state, FILE: (mode, elsewhere)},
        "move": {**without, MOVED: (mode, content)},
        "move and edit": {**without, MOVED: (mode, edited)},
        "move elsewhere": {**without, f"{side}.txt": (mode, content)},
        "delete": without,
        "chmod": {**state, FILE: (EXECUTABLE, content)},
        "symlink": {**state, FILE: (LINK, TARGETS[side])},
        "binary": {**state, FILE: (mode, noise(side, content[:20].hex()))},
        "add": {**state, MOVED: (PLAIN, added(state, side))},
        "add alike": {**state, MOVED: (PLAIN, added(state, "both"))},
        "line endings": {**state, FILE: (mode, content.replace(b"\n", b"\r\n"))},
    }
    return results[action]


def added(state: State, side: str) -> bytes:
    """Return a new file that is like no other."""
    return b"".join(b"%d new by %s, %s" % (number, side.encode(), state[COMPANION][1]) for number in range(9))


def holds(text: bytes, state: State) -> bool:
    """Say whether a file has a text."""
    return any(text in content for _, content in state.values())


def original(state: State, base: State) -> list[tuple[str, bytes]]:
    """Return the files that have come from the file, by a line that nobody touches; of an image, by itself."""
    content = base[FILE][1]
    mark = content[:20] if b"\0" in content else b"\n10 of"
    return [(mode, found) for mode, found in state.values() if mark in found.replace(b"\r", b"")]


def find_moved(state: State, name: str, base: State) -> bool:
    # Something else, a link for instance, may stand in the old place.
    return name in state and has_none({FILE: state.get(FILE, (PLAIN, b""))}, base)


def find_mode(state: State, base: State) -> bool:
    # What takes the whole file's place, a link or other bytes, has no mode of it.
    return all(mode == EXECUTABLE for mode, _ in original(state, base))


def find_endings(state: State, base: State) -> bool:
    return all(b"\r\n" in content for _, content in original(state, base))


def has_none(state: State, base: State) -> bool:
    return not original(state, base)


def has_entry(state: State, entry: tuple[str, bytes]) -> bool:
    return any(found[1] == entry[1] and (found[0] == LINK) == (entry[0] == LINK) for found in state.values())


def facts_of(scenario: Scenario, side: str) -> list[Fact]:
    """Return what can be seen of an action."""
    by_side, base, after = f"3 by {side} of".encode(), scenario.base, scenario.after(side)
    moved = partial(find_moved, name=MOVED, base=base)
    facts: dict[str, list[Fact]] = {
        "edit": [partial(holds, by_side)],
        "edit alike": [partial(holds, b"3 by both of")],
        "edit elsewhere": [partial(holds, f"17 by {side} of".encode())],
        "move": [moved],
        "move and edit": [moved, partial(holds, by_side)],
        "move elsewhere": [partial(find_moved, name=f"{side}.txt", base=base)],
        "delete": [partial(has_none, base=base)],
        "chmod": [partial(find_mode, base=base)],
        "line endings": [partial(find_endings, base=base)],
        **{action: [partial(has_entry, entry=after.get(FILE, after[COMPANION]))] for action in ("symlink", "binary")},
        **{action: [partial(has_entry, entry=after.get(MOVED, after[COMPANION]))] for action in ("add", "add alike")},
    }
    return facts.get(scenario.action(side), [])


SCENARIOS = [
    *(Scenario("text", user, template) for user in TO_TEXT for template in TO_TEXT),
    *(Scenario("bytes", user, template) for user in TO_BYTES for template in TO_BYTES),
]

# What is expected of each pair, in the order of TO_TEXT and TO_BYTES: a row for what the user does, a column for what
# the template does. `.`: both changes are there. `C`: a conflict. `s`: the user's deletion stays, and it is said.
TEXT = """
    nothing         ..............
    edit            .CC..C.C.CC..C
    edit alike      .C...C.C.CC..C
    edit elsewhere  ...C...C.CC..C
    move            ......CC.C.CC.
    move and edit   .CC..CCC.CCCCC
    move elsewhere  ....CCCC.C....
    delete          .ssssss.sss..s
    chmod           .......C.C....
    symlink         .CCCCCCCCCC..C
    binary          .CCC.C.C.CC..C
    add             ....CC.....CC.
    add alike       ....CC.....C..
    line endings    .CCC.C.C.CC...
"""
BYTES = """
    nothing         ........
    binary          .C..C.C.
    move            ...CC.CC
    move elsewhere  ..CCC.C.
    delete          .sss.ss.
    chmod           ....C.C.
    symlink         .CCCCCC.
    add             ..C....C
"""


def expected() -> dict[Scenario, str]:
    """Return the letter of each scenario."""
    found: dict[Scenario, str] = {}
    for kind, actions, table in (("text", TO_TEXT, TEXT), ("bytes", TO_BYTES, BYTES)):
        for line, user in zip(table.strip().splitlines(), actions, strict=True):
            name, letters = line.strip().rsplit(maxsplit=1)
            assert name.strip() == user
            found |= {Scenario(kind, user, each): letter for each, letter in zip(actions, letters, strict=True)}
    return found
