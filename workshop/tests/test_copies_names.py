"""Which names a copy may have, and that a template's commit is renamed to any of them: all of its name, and no more."""

import re
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
import tomli
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from copies import PROJECT, TEMPLATE, Folder, answers, make_template
from roadworthy.terminal import ProblemsError
from workshop.copying.edits import EDITS, FRAGMENT
from workshop.copying.names import LONGEST, Names, check, check_taken, objections
from workshop.copying.objects import Files, read_files
from workshop.copying.record import Record, with_table
from workshop.copying.rendering import Renamer, answered, select
from workshop.copying.rules import MERGED, Rules

OWN = Names("ferrous-wheel")
CODE = (
    "core",
    "match",
    "test",
    "wheel",
    "git",
    "src",
    "lib",
    "release",
    "python",
    "rust",
    "index",
    "x86",
    "none",
    "a",
    "0",
)


def is_valid(name: str) -> bool:
    try:
        check(name, OWN)
    except ProblemsError:
        return False
    return True


PART = st.one_of(st.sampled_from(CODE), st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True))
VALID = (
    st.lists(PART, min_size=1, max_size=6)
    .map("-".join)
    .filter(lambda name: 2 <= len(name) <= LONGEST and is_valid(name))
)


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
def named(rules: Rules, files: Files) -> Files:
    """What every copy gets, and the template's name or owner stands in; no name changes anything of the rest."""
    kept = select(files, rules, "full")
    others = {path: file for path, file in kept.items() if not holds_template(path.encode(), file[1])}
    others = {path: file for path, file in others.items() if path not in EDITS}
    for name in ("aa", "core-match"):
        assert Renamer(rules, answers(name)).files(others) == (others, set())
    return {path: file for path, file in kept.items() if path not in others}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(name=VALID)
@example("aa")
@example("zz")
@example("aaaaaaaaaaaaaaaaaaaa-zzzzzzzzzzzzzzzzzzz")
@example("z-9-z-9-z-9")
@example("core-match")
@example("test-wheel")
@example("x86-64-unknown-linux-gnu")
def test_under_any_name_all_of_the_template_s_name_is_gone_and_nothing_else(
    rules: Rules, named: Files, name: str
) -> None:
    new = answers(name)
    renamed, _ = Renamer(rules, new).files(named)
    done = answered(renamed, new, "0.1.0")
    assert [path for path, (_, content) in done.items() if holds_template(path.encode(), content)] == []
    # What it is compared with knows nothing of words: the template's name is in no longer one.
    expected = {
        expect(path.encode(), name).decode(): (mode, expect(text, name)) for path, (mode, text) in named.items()
    }
    assert done.keys() == {*expected, FRAGMENT}
    assert {path: file for path, file in done.items() if path not in {*EDITS, FRAGMENT}} == {
        path: file for path, file in expected.items() if path not in EDITS
    }
    check_answers(done, name)


def holds_template(*texts: bytes) -> bool:
    return any(TEMPLATE.search(text) for text in texts)


def expect(text: bytes, name: str) -> bytes:
    if b"\0" in text:
        return text
    old, new = OWN, Names(name)
    text = text.replace(old.kebab.encode(), new.kebab.encode()).replace(old.snake.encode(), new.snake.encode())
    return text.replace(b"rust-wheelwrights", b"ada")


def check_answers(files: Files, name: str) -> None:
    """Compare what tools read of the answers."""
    text = {path: files[path][1].decode() for path in EDITS}
    project, crate = tomli.loads(text["pyproject.toml"])["project"], tomli.loads(text["Cargo.toml"])["package"]
    assert (project["name"], project["version"]) == (crate["name"], crate["version"]) == (name, "0.1.0")
    assert project["authors"] == [{"name": "Ada Lovelace", "email": "ada@example.org"}]
    assert project["description"] == crate["description"] == "Frobs turbos."
    assert project["keywords"] == []
    locked = [package["name"] for package in tomli.loads(text["Cargo.lock"])["package"]]
    assert locked == sorted(locked)
    assert locked.count(name) == 1


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
    "one letter": ("a", "z", "q"),
    "capital letters": ("Turbo", "TURBO-FROB", "turboFrob", "tUrbo", "Z9", "PyFoo"),
    "begins or ends with a hyphen": ("-turbo", "turbo-", "--", "-frob-"),
    "two hyphens in a row": ("turbo--frob", "a---b", "x--y--z"),
    "keyword of Python": ("class", "lambda", "await", "nonlocal", "import", "with", "match", "from", "async", "yield"),
    "keyword of Rust": ("crate", "impl", "trait", "unsafe", "fn", "mod", "pub", "dyn", "gen", "virtual", "self"),
    "standard library": ("json", "email", "types", "random", "zoneinfo", "asyncio", "this", "antigravity", "typing"),
    "Rust's own": ("std", "core", "alloc", "proc-macro", "deps", "build", "release", "debug", "examples"),
    "Windows": ("con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt0"),
    "template's own name": ("ferrous-wheel", "ferrous-wheel-rs", "my-ferrous-wheel", "xferrous-wheels"),
}
INVALID = {name: reason for reason, names in REASONS.items() for name in names}


@pytest.mark.parametrize("name", INVALID, ids=lambda name: ascii(name)[:40])
def test_a_name_that_cannot_be_is_refused_with_the_reason_and_one_that_can(name: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        check(name, OWN)
    (problem,) = raised.value.problems
    assert INVALID[name] in problem.what
    assert problem.what.isprintable()
    assert len(problem.what) < 300
    suggested = problem.remedy.removeprefix("take another name, such as ")
    assert is_valid(suggested), suggested


def test_there_are_a_hundred_of_them() -> None:
    assert len(INVALID) >= 100


@settings(max_examples=500, deadline=None, database=None)
@given(name=st.one_of(st.text(max_size=50), st.from_regex(r"[a-zA-Z0-9_.-]{0,45}", fullmatch=True)))
def test_whatever_is_typed_is_a_name_or_is_refused_with_one_that_is(name: str) -> None:
    if is_valid(name):
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name)
        assert Names(name).snake.isidentifier()
    else:
        with pytest.raises(ProblemsError) as raised:
            check(name, OWN)
        assert is_valid(raised.value.problems[0].remedy.rpartition(" ")[2])


@pytest.mark.parametrize(
    "name", ["terminal", "pyyaml", "rich", "yaml", "toolchain", "pyo3", "releasing", "syn", "workshop"]
)
def test_a_name_that_the_project_s_own_files_need_is_refused(files: Files, name: str) -> None:
    assert not list(objections(name))
    with pytest.raises(ProblemsError) as raised:
        check_taken(Names(name), OWN, {path: content for path, (_, content) in files.items()})
    (problem,) = raised.value.problems
    suggested = problem.remedy.rpartition(" ")[2]
    assert suggested.replace("-", "_") not in {name, *(path.name for path in PROJECT.root.glob("scripts/*"))}
    assert is_valid(suggested)


@given(name=VALID)
@settings(max_examples=100, deadline=None, database=None)
def test_a_longer_word_is_not_renamed(rules: Rules, name: str) -> None:
    assume("ferrous" not in name)
    text = b"xferrous-wheel ferrous_wheels aferrous_wheel9 Ferrous-Wheel"
    assert Renamer(rules, answers(name)).text(text) == text


def test_the_name_stands_in_no_longer_word(files: Files) -> None:
    """That is what makes it safe to replace the template's name."""
    words = f"{OWN.kebab}|{OWN.snake}"
    longer = re.compile(rf"[A-Za-z0-9]*(?:{words})[A-Za-z0-9]+|[A-Za-z0-9]+(?:{words})".encode())
    kept = {path: content for path, (_, content) in files.items() if "test_copies" not in path}
    assert {path: found[0] for path, text in kept.items() if (found := longer.search(text))} == {}


def test_no_rule_holds_the_name(rules: Rules) -> None:
    """Or it would not fit the paths of a copy."""
    globs = [glob for each in rules.globs.values() for glob in each]
    globs += [glob for sample in rules.packages.values() for glob in [*sample.without, sample.folder]]
    assert [glob for glob in globs if TEMPLATE.search(glob.encode())] == []


def test_what_every_copy_gets_does_not_know_the_sample(rules: Rules, files: Files) -> None:
    """An owner who writes another package has tests that pass."""
    words = re.compile(rf"{'|'.join(rules.packages['minimal'].crates)}|Did you")
    code = {
        path: text.decode() for path, (_, text) in files.items() if re.match(r"(roadworthy|workshop)/.+\.py$", path)
    }
    merged = {path: words.findall(text) for path, text in code.items() if rules.class_of(path) == MERGED}
    assert {"roadworthy/src/roadworthy/project.py", "workshop/rehearse.py"} <= merged.keys()
    assert {path: found for path, found in merged.items() if found} == {}


def test_every_rule_is_for_a_file(rules: Rules, files: Files) -> None:
    globs = [glob for each in rules.globs.values() for glob in each]
    assert [glob for glob in globs if not any(fnmatchcase(path, glob) for path in files)] == []


PRINTABLE = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1, max_size=60).filter(
    str.isprintable
)


@settings(max_examples=200, deadline=None, database=None)
@given(author=PRINTABLE, description=PRINTABLE)
@example(author='Ada "the \\ first" O\'Hara', description='\\1 \\g<1> {name} $HOME "]" [')
def test_whatever_can_be_shown_is_written_and_read_back(files: Files, author: str, description: str) -> None:
    new = replace(answers("turbo-frob"), author=author, description=description)
    record = Record("https://example.org/turbo", "0" * 40, "v1", new)
    text = files["template.toml"][1].decode()
    assert Record.read(record.write(text)) == Record.read(record.write(record.write(text))) == record
    assert with_table(record.write(text), "") == text
    edited = {
        path: edit(files[path][1].decode().replace(OWN.kebab, new.name), new, "0.1.0") for path, edit in EDITS.items()
    }
    project, crate = tomli.loads(edited["pyproject.toml"])["project"], tomli.loads(edited["Cargo.toml"])["package"]
    assert project["authors"] == [{"name": author, "email": new.email}]
    assert project["description"] == crate["description"] == description
    assert f" {author}\n" in edited["LICENSE"]
