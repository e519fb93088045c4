"""The name of a project in its two spellings, and which names a copy may have."""

import builtins
import keyword
import re
import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath

from roadworthy.terminal import Problem

LONGEST = 40
SPELLING = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# https://doc.rust-lang.org/reference/keywords.html: strict, reserved, and those of an edition.
RUST_KEYWORDS = re.compile(
    "abstract|as|async|await|become|box|break|const|continue|crate|do|dyn|else|enum|extern|false|final|fn|for|gen|if|impl|"
    "in|let|loop|macro|match|mod|move|mut|override|priv|pub|ref|return|self|static|struct|super|trait|true|try|type|typeof|"
    "union|unsafe|unsized|use|virtual|where|while|yield"
)
# Crates that come with the compiler, and what Cargo puts beside a library.
RUST_CRATES = re.compile("alloc|build|core|debug|deps|examples|incremental|proc_macro|release|std|test")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: no file may be called so, with any ending.
WINDOWS = re.compile("con|prn|aux|nul|(?:com|lpt)[0-9]")
# What an import finds before it looks for a package.
PYTHON = sys.stdlib_module_names
# What the tools bring that `make new` does not install; of the others it is asked which modules they have.
MODULES = {"mypyc": "mypy", "rpds": "rpds-py"}
# A name that nobody has, for a suggestion.
EXAMPLE = "turbo-frob"


@dataclass(frozen=True)
class Names:
    """A name, as the distribution, the repository and the crate have it."""

    kebab: str

    @property
    def snake(self) -> str:
        """The same for the import package, and in the names of files."""
        return self.kebab.replace("-", "_")


def objections(name: str) -> Iterator[str]:
    """Say what speaks against a name by itself, the plainest thing first."""
    small, snake = name.lower(), name.lower().replace("-", "_")
    capitals = "it has capital letters, which indexes and some file systems do not tell from small ones"
    found = (
        (not name, "it is empty"),
        (re.search(r"[^A-Za-z0-9-]", name), "it is made of other things than the letters a to z, digits and hyphens"),
        (re.match(r"[0-9]", name), "it begins with a digit, so Python could not import it"),
        (len(name) > LONGEST, f"it has {len(name)} letters, and lines of code and tables have room for {LONGEST}"),
        (name != small, capitals),
        (name.startswith("-") or name.endswith("-"), "it begins or ends with a hyphen, which PEP 508 forbids"),
        ("--" in name, "it has two hyphens in a row, which PEP 503 takes for one"),
        (keyword.iskeyword(snake) or keyword.issoftkeyword(snake), "it is a keyword of Python"),
        (RUST_KEYWORDS.fullmatch(snake), "it is a keyword of Rust"),
        (hasattr(builtins, snake), "it is a built-in of Python, which it would hide where it is imported"),
        (snake in PYTHON, "it is a module of Python's standard library, which would be imported in its place"),
        (RUST_CRATES.fullmatch(snake), "it is a crate of Rust's own, or a folder that Cargo makes beside it"),
        (WINDOWS.fullmatch(small), "Windows keeps it for a device, so no file may be called so"),
    )
    return (why for holds, why in found if holds)


def suggest(name: str, forbidden: Container[str] = ()) -> str:
    """Return a name like one that is refused, against which nothing speaks, and whose module is not forbidden."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower())
    text = re.sub(r"^[0-9-]+|-+$", "", text)[: LONGEST - len("my-")].rstrip("-")
    names = [one for one in (text, f"{text}-rs", f"my-{text}") if one != name and SPELLING.fullmatch(one)]
    good = (one for one in names if next(objections(one), None) is None and Names(one).snake not in forbidden)
    return next(good, EXAMPLE)


def check(name: str, others: Mapping[str, str]) -> Iterator[Problem]:
    """Say what speaks against a name: the first thing, and a name that will do; others are what is `taken`."""
    if why := next(objections(name), None) or others.get(Names(name).snake):
        shown = ascii(name if len(name) <= 2 * LONGEST else f"{name[: 2 * LONGEST]}…")
        yield Problem(
            f"a project cannot be called {shown}: {why}", f"take another name, such as {suggest(name, others)}"
        )


def taken(files: Mapping[str, tuple[str, bytes]]) -> dict[str, str]:
    """Return the names that a project's own files need for something else, by module, each with what that is."""
    found: dict[str, str] = {}
    pins: dict[str, str] = {}
    for path, (_, content) in files.items():
        where = PurePosixPath(path)
        folder = where.parts[0]
        if folder in {"roadworthy", "tests"}:
            found[folder] = f"{path} is imported by the name of its folder"
        elif folder == "scripts":
            # The pages are checked by their own names, without their folder's.
            found[where.stem] = f"{path} is called so"
        elif folder == "requirements":
            pins |= {name.decode(): path for name in re.findall(rb"^([a-z0-9-]+)==", content, re.MULTILINE)}
        elif path == "Cargo.lock":
            crates = re.findall(rb'^name = "(.+)"\nversion = .+\nsource = ', content, re.MULTILINE)
            found |= {name.decode().replace("-", "_"): "it is a crate that this one needs" for name in crates}
    # Its module may have another name than a tool: python-dotenv brings dotenv.
    here = {module: owners[0].lower().replace("_", "-") for module, owners in packages_distributions().items()}
    modules = {name: tool for name, tool in {**here, **MODULES}.items() if tool in pins}
    found |= {name: f"the tool {tool} has a module of that name" for name, tool in modules.items()}
    return {name.replace("-", "_"): f"{path} has a tool of that name" for name, path in pins.items()} | found
