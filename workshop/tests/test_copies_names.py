"""Which names a copy may have, and that a template's commit is renamed to any of them: all of its name, and no more."""

import re
from fnmatch import fnmatchcase
from importlib.metadata import packages_distributions

import pytest
import tomli
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from copies import TEMPLATE, Folder, make_template, record
from roadworthy.terminal import Problem
from workshop.copying.edits import EDITS, edit_lock, for_a_copy
from workshop.copying.names import LONGEST, MODULES, Names, check, objections, taken
from workshop.copying.objects import Files, read_files
from workshop.copying.rendering import VERBATIM, Renamer, adapt, render
from workshop.copying.rules import SEEDED, Rules

OWN = Names("ferrous-wheel")
CODE = (
    *("core", "match", "test", "wheel", "git", "src", "lib", "release", "python", "rust", "index", "x86", "none"),
    *("a", "0"),
)


def is_valid(name: str) -> bool:
    return next(objections(name), None) is None


PART = st.one_of(st.sampled_from(CODE), st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True))
VALID = st.lists(PART, min_size=1, max_size=6).map("-".join).filter(is_valid)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def rules(source: Folder) -> Rules:
    return Rules.read(source.repository, "HEAD")


@pytest.fixture(scope="module")
def files(source: Folder) -> Files:
    return read_files(source.repository, "HEAD")


@pytest.fixture(scope="module")
def copied(source: Folder) -> Files:
    """What a copy has, under some name."""
    return render(source.repository, record("turbo-frob"), "0.1.0")


@pytest.fixture(scope="module")
def others(copied: Files) -> dict[str, str]:
    """Which names are not free there."""
    return taken(copied)


@pytest.fixture(scope="module")
def named(rules: Rules, files: Files) -> dict[str, bytes]:
    """What the template's name or owner stands in, of what a copy gets; no name changes anything of the rest."""
    texts = {path: content for path, (_, content) in rules.select(files).items() if not path.startswith(VERBATIM)}
    others = {path: text for path, text in texts.items() if not holds_template(path.encode(), text)}
    for name in ("aa", "core-match"):
        renamer = Renamer(rules, record(name))
        assert [path for path in others if renamer.path(path) != path] == []
        assert [
            path for path, text in others.items() if adapt(path, text, renamer) != for_a_copy(text.decode()).encode()
        ] == []
    return {path: text for path, text in texts.items() if path not in others}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(name=VALID)
@example("a")
@example("zz")
@example("aaaaaaaaaaaaaaaaaaaa-zzzzzzzzzzzzzzzzzzz")
@example("z-9-z-9-z-9")
@example("core-match")
@example("test-wheel")
@example("indexmap")
@example("my-ferrous-wheel")
@example("ferrous-wheel-rs")
@example("x86-64-unknown-linux-gnu")
def test_under_any_name_all_of_the_template_s_name_is_exchanged_and_nothing_else(
    rules: Rules, named: dict[str, bytes], others: dict[str, str], name: str
) -> None:
    assume(Names(name).snake not in others)
    renamer = Renamer(rules, record(name))
    done = {renamer.path(path): adapt(path, text, renamer) for path, text in named.items()}
    # What it is compared with knows nothing of words: the template's name is in no longer one.
    expected = {
        expect(path.encode(), name).decode(): expect(for_a_copy(text.decode()).encode(), name)
        for path, text in named.items()
    }
    assert done == expected
    check_answers({path: text.decode() for path, text in done.items()}, name)


def holds_template(*texts: bytes) -> bool:
    return any(TEMPLATE.search(text) for text in texts)


def expect(text: bytes, name: str) -> bytes:
    old, new = OWN, Names(name)
    # By way of what is in no name, for one that has the template's in it.
    text = text.replace(old.kebab.encode(), b"\0").replace(old.snake.encode(), b"\1")
    text = text.replace(b"rust-wheelwrights", b"ada")
    return text.replace(b"\0", new.kebab.encode()).replace(b"\1", new.snake.encode())


def check_answers(texts: dict[str, str], name: str) -> None:
    """Compare what tools read of the answers."""
    edited = {path: edit(texts[path], record(name), "0.1.2") for path, edit in EDITS.items()}
    project, crate = tomli.loads(edited["pyproject.toml"])["project"], tomli.loads(edited["Cargo.toml"])["package"]
    assert (project["name"], project["version"]) == (crate["name"], crate["version"]) == (name, "0.1.2")
    assert project["authors"] == [{"name": "Ada Lovelace", "email": "ada@example.org"}]
    assert (project["description"], project["keywords"]) == ("Frobs turbos.", [])
    lock = edit_lock(texts["Cargo.lock"], edited["Cargo.toml"], name, "0.1.2")
    locked = [(package["name"], package["version"]) for package in tomli.loads(lock)["package"]]
    assert locked == sorted(locked)
    assert locked.count((name, "0.1.2")) == 1


# By what the refusal says.
REASONS = {
    "empty": ("",),
    "other things than the letters a to z": (
        *(" ", "turbo_frob", "turbo.frob", "turbo frob", "türbo", "turbo/frob", "../frob", "frob\n", "fr\0ob", "frob!"),
        *(
            "$(id)",
            "a;b",
            "`id`",
            "{name}",
            "frob\\",
            "'frob'",
            "<frob>",
            "frob@1",
            "ﬁlter",
            "фроб",
            "turbo_",
            "frob~1",
        ),
    ),
    "begins with a digit": ("0", "1st", "2-fast", "3d", "9lives", "007", "42", "1-2"),
    f"room for {LONGEST}": ("a" * 41, "turbo-" * 10 + "frob", "x" * 1000),
    "capital letters": ("Turbo", "TURBO-FROB", "turboFrob", "tUrbo", "Z9", "PyFoo"),
    "begins or ends with a hyphen": ("-turbo", "turbo-", "--", "-frob-"),
    "two hyphens in a row": ("turbo--frob", "a---b", "x--y--z"),
    "keyword of Python": ("class", "lambda", "await", "nonlocal", "import", "with", "match", "from", "async", "yield"),
    "keyword of Rust": ("crate", "impl", "trait", "unsafe", "fn", "mod", "pub", "dyn", "gen", "virtual", "self"),
    "built-in of Python": ("help", "str", "bool", "open", "print", "range", "license", "credits", "map"),
    "standard library": ("json", "email", "types", "random", "zoneinfo", "asyncio", "this", "antigravity", "typing"),
    "Rust's own": ("std", "core", "alloc", "proc-macro", "deps", "build", "release", "debug", "examples"),
    "Windows": ("con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt0"),
}
INVALID = {name: reason for reason, names in REASONS.items() for name in names}


def refuse(name: str, others: dict[str, str]) -> Problem | None:
    """Return why a project of these files cannot have a name, once the one that is suggested will do."""
    problems = list(check(name, others))
    for problem in problems:
        assert problem.what.isprintable()
        assert len(problem.what) < 1000
        suggested = problem.remedy.removeprefix("take another name, such as ")
        assert list(check(suggested, others)) == [], suggested
    assert len(problems) <= 1
    return problems[0] if problems else None


@pytest.mark.parametrize("name", INVALID, ids=lambda name: ascii(name)[:40])
def test_a_name_that_cannot_be_is_refused_with_the_reason_and_one_that_can(others: dict[str, str], name: str) -> None:
    problem = refuse(name, others)
    assert problem
    assert INVALID[name] in problem.what


def test_there_are_a_hundred_of_them() -> None:
    assert len(INVALID) >= 100


@settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(name=st.one_of(st.text(max_size=50), st.from_regex(r"[a-zA-Z0-9_.-]{0,45}", fullmatch=True)))
def test_whatever_is_typed_is_a_name_or_is_refused_with_one_that_is(others: dict[str, str], name: str) -> None:
    if refuse(name, others) is None:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
        assert Names(name).snake.isidentifier()


# What would be imported, compiled or checked in place of it; each was tried, and breaks `make test` or `make lint`.
TAKEN = {
    "a module of that name": ("attr", "dotenv", "py", "rpds", "yaml", "rich", "pytest", "typing-extensions", "uv"),
    "a tool of that name": ("pyyaml", "python-dotenv"),
    "a crate that this one needs": ("pyo3", "syn", "pyo3-ffi", "unicode-ident"),
    "by the name of its folder": ("roadworthy", "tests"),
    "is called so": ("bootstrap", "template", "verify-install"),
}


@pytest.mark.parametrize("reason", TAKEN)
def test_a_name_that_the_project_s_own_files_need_is_refused(others: dict[str, str], reason: str) -> None:
    for name in TAKEN[reason]:
        assert is_valid(name)
        problem = refuse(name, others)
        assert problem, name
        assert reason in problem.what


def test_which_modules_are_taken_does_not_depend_on_what_is_installed(copied: Files) -> None:
    """A new copy is made where the tools of `make lint` may not be, and where all of the template's may be."""
    groups = {path: file for path, file in copied.items() if path.startswith("requirements/")}
    pins = {path: set(re.findall(rb"^([a-z0-9-]+)==", text, re.MULTILINE)) for path, (_, text) in groups.items()}
    installed = set[bytes]().union(*(pins[f"requirements/{group}.txt"] for group in ("setup", "test", "tools")))
    later = {name.decode() for names in pins.values() for name in names - installed}
    assert {"mypy", "ruff", "ziglang"} <= later
    modules = {
        module: tool
        for module, owners in packages_distributions().items()
        for tool in (owner.lower().replace("_", "-") for owner in owners)
        # What is in no name, a name cannot be.
        if tool in later and re.fullmatch("[a-z][a-z0-9_]*", module) and not module.endswith("__mypyc")
    }
    assert {module: tool for module, tool in modules.items() if module != tool.replace("-", "_")} == MODULES


# Words of the template's files, modules inside of the engine's packages, crates and tools that only the template has.
FREE = (
    *("main", "commit", "docs", "files", "wheel", "version", "scripts", "index", "checks", "initials", "src", "lib"),
    *("target", "python", "rust", "toolchain", "requirements", "workshop", "q", "release-notes", "my-ferrous-wheel"),
    *("indexmap", "thiserror", "werkzeug", "hypothesis"),
)


@pytest.mark.parametrize("name", FREE)
def test_a_name_that_breaks_nothing_is_taken(others: dict[str, str], name: str) -> None:
    assert refuse(name, others) is None


@given(name=VALID)
@settings(max_examples=100, deadline=None, database=None)
def test_a_longer_word_is_not_renamed(rules: Rules, name: str) -> None:
    assume("ferrous" not in name)
    text = b"xferrous-wheel ferrous_wheels aferrous_wheel9 Ferrous-Wheel"
    assert Renamer(rules, record(name)).text(text) == text


def test_the_name_stands_in_no_longer_word(files: Files) -> None:
    """That is what makes it safe to replace the template's name."""
    words = f"{OWN.kebab}|{OWN.snake}"
    longer = re.compile(rf"[A-Za-z0-9]*(?:{words})[A-Za-z0-9]+|[A-Za-z0-9]+(?:{words})".encode())
    kept = {path: content for path, (_, content) in files.items() if "test_copies" not in path}
    assert {path: found[0] for path, text in kept.items() if (found := longer.search(text))} == {}


def test_no_rule_holds_the_name(rules: Rules) -> None:
    """Or it would not fit the paths of a copy."""
    globs = [glob for each in rules.globs.values() for glob in each]
    globs.append(rules.sample)
    assert [glob for glob in globs if TEMPLATE.search(glob.encode())] == []


def test_what_is_merged_does_not_know_the_sample(rules: Rules, copied: Files) -> None:
    """An owner who writes another package has nothing else to change."""
    others = {path: content for path, (_, content) in copied.items() if rules.class_of(path) != SEEDED}
    assert {"Makefile", "scripts/release.py", "roadworthy/src/roadworthy/project.py"} <= others.keys()
    assert [path for path, content in others.items() if b"initials" in content] == []


MARKED = """\
both
a = 1 # only the template
# > only the template
b = 2

c = 3
# < only the template
# only a copy: d = 4
# only a copy: # of words
both
"""


def test_what_is_marked_is_the_template_s_or_a_copy_s_alone() -> None:
    assert for_a_copy(MARKED) == "both\nd = 4\n# of words\nboth\n"
    assert for_a_copy(for_a_copy(MARKED)) == for_a_copy(MARKED)


def test_every_rule_is_for_a_file(rules: Rules, files: Files) -> None:
    globs = [glob for each in rules.globs.values() for glob in each]
    assert [glob for glob in globs if not any(fnmatchcase(path, glob) for path in files)] == []
