"""The gate by itself: installed from its wheel, in any folder, on anybody's files, on GitHub and before a push."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import tomli
import yaml
from packaging.metadata import parse_email
from packaging.requirements import Requirement

from archives import good_sdist
from engine_readme import END, README, blocks, example, make_downloads
from helpers import PROJECT, run
from loopback_samples import INFO, METADATA, SDIST, WHEEL, good_wheel
from roadworthy.__main__ import COMMANDS
from roadworthy.gate.check import check
from roadworthy.processes import find_uv, venv_bin
from roadworthy.project import Project

CHECK = (sys.executable, "-m", "roadworthy", "check")
ENGINE = PROJECT.root / "roadworthy"
TEXT = README.read_text(encoding="utf-8")
# uv takes what .venv is made of, and nothing from an index.
LOCKED = {
    "UV_OFFLINE": "1",
    "UV_CONSTRAINT": str(PROJECT.root / "requirements" / "tools.txt"),
    "UV_PYTHON": sys.executable,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the engine's own sdist and wheel."""
    folder = tmp_path_factory.mktemp("engine")
    done = run(find_uv(), "build", "--offline", "--quiet", f"--out-dir={folder}", ENGINE)
    assert done.returncode == 0, done.stderr
    return folder


def block(name: str) -> str:
    """Return a part of the README that is made."""
    return TEXT.partition(f"<!-- {name} -->\n")[2].partition(END)[0]


def code(language: str, number: int = 0) -> str:
    """Return one of the README's pieces of code in a language."""
    return str(re.findall(rf"(?ms)^```{language}\n(.*?)^```$", TEXT)[number])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder outside of any project, with a folder of a good sdist and a good wheel in it."""
    (tmp_path / "here" / "dist").mkdir(parents=True)
    (tmp_path / "here" / "dist" / WHEEL).write_bytes(good_wheel())
    (tmp_path / "here" / "dist" / SDIST).write_bytes(good_sdist())
    return tmp_path / "here"


# ---- as an installed tool -------------------------------------------------------------------------------------------


def test_from_an_empty_folder_with_only_uv_the_example_is_what_the_readme_shows(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wheel,) = built.glob("*.whl")
    for name, value in LOCKED.items():
        monkeypatch.setenv(name, value)
    assert example(venv_bin("uvx"), "--quiet", "--from", wheel, "roadworthy") == block("example")


def test_the_engine_s_own_distribution_passes(built: Path) -> None:
    done = run(*CHECK, "--strict", built, cwd=ENGINE)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    names = run(sys.executable, "-m", "zipfile", "--list", *built.glob("*.whl")).stdout
    assert "roadworthy/py.typed" in names
    assert "/licenses/LICENSE" in names
    assert (ENGINE / "LICENSE").read_bytes() == (PROJECT.root / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", ["rules", "tools"])
def test_what_the_readme_lists_is_made_from_what_it_is_about(name: str) -> None:
    assert blocks()[name] == block(name)


def test_the_readme_s_python_is_run(files: Path) -> None:
    (files / "dist" / "x.txt").write_text("x", encoding="utf-8")
    done = run(sys.executable, "-c", code("python"), cwd=files)
    assert done.stdout.startswith("error dist/x.txt file-name "), done.stderr


def test_what_the_readme_says_is_needed_is_declared_and_only_that_is_loaded(files: Path, tmp_path: Path) -> None:
    rows = re.findall(r"(?m)^\| (\w[\w, -]*) \| (.+) \|$", TEXT.partition("## What it needs")[2])
    needed = {name: what for names, what in rows for name in names.split(", ")}
    table = tomli.loads((ENGINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert needed.keys() == {Requirement(text).name for text in table["dependencies"]}
    make_downloads(tmp_path / "downloads")
    owners = packages_distributions()
    names = loaded_by([["check", str(files / "dist"), str(tmp_path / "downloads")]], tmp_path)
    loaded = {owner.lower() for name in names for owner in owners.get(name, ())}
    assert {"twine", "pyelftools"} <= loaded
    # requests comes with twine.
    assert loaded & {name for name, what in needed.items() if what.endswith(" only")} <= {"requests"}


def loaded_by(commands: list[list[str]], cwd: Path) -> set[str]:
    """Return the modules that a Python has loaded that was given some command lines, one after the other."""
    program = f"""
import sys
from roadworthy.__main__ import main
for words in {commands}:
    sys.argv = ["roadworthy", *words]
    try:
        main()
    except SystemExit:
        pass
print(*sys.modules, file=sys.stderr)
"""
    return set(run(sys.executable, "-c", program, cwd=cwd).stderr.splitlines()[-1].split())


def test_of_the_libraries_a_file_needs_only_those_are_loaded_that_judge_what_is_in_it(tmp_path: Path) -> None:
    # A plain address is judged without any.
    rare = re.sub("(?m)^Project-URL: .*", r"\g<0>?tab=readme", METADATA)
    for name, metadata in (("all", rare), ("none", METADATA)):
        (tmp_path / name).mkdir()
        (tmp_path / name / WHEEL).write_bytes(good_wheel({f"{INFO}/METADATA": metadata.encode()}))
    some, fewest = (loaded_by([["check", str(tmp_path / name)]], tmp_path) for name in ("all", "none"))
    assert {"twine.package", "rfc3986"} <= some
    assert not some & {"abi3info", "docutils", "elftools", "email_validator", "macholib", "pefile", "readme_renderer"}
    assert not some & {"http.client", "pypi_simple", "requests", "rich.console", "roadworthy.building", "yaml"}
    assert "rfc3986" not in fewest


def test_no_library_is_loaded_to_tell_what_a_command_takes_or_that_it_takes_no_such_thing() -> None:
    loaded = loaded_by([[name, word] for name in COMMANDS for word in ("--help", "--nonsense")], PROJECT.root)
    assert {f"roadworthy.{start.partition(':')[0]}" for start, _ in COMMANDS.values()} <= loaded
    assert not loaded & packages_distributions().keys()
    # Each takes as long as all that a command begins with.
    assert not loaded & {"http.client", "importlib.metadata", "logging", "platform"}


def test_the_version_and_all_commands_are_told_anywhere(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "roadworthy")
    assert re.fullmatch(r"roadworthy \d+\.\d+\.\d+\S*\n", run(*command, "--version", cwd=tmp_path).stdout)
    listed = run(*command, "--help", cwd=tmp_path).stdout
    anywhere, _, in_copies = listed.partition("in a copy of the template:")
    names = re.findall(r"(?m)^  (\S+)", in_copies)
    assert "  check " in anywhere
    assert "collect" in names
    for name in names:
        done = run(*command, name, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert f"roadworthy {name}: {tmp_path} is no copy of the template" in done.stderr


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no "),
        (["dist", "no-such.whl"], "there is no no-such.whl"),
        (["--select=no-bom", "dist"], "'no-bom' is no rule; rules like it: no-bomb"),
        (["--ignore=no-bomb,x", "dist"], "'x' is no rule; see: roadworthy rules"),
        (["--json", "--sarif", "dist"], "give one"),
        (["--fix", "dist"], "unrecognized arguments: --fix"),
    ],
)
def test_a_wrong_command_line_is_one_line(files: Path, words: list[str], said: str) -> None:
    done = run(*CHECK, *words, cwd=files / "dist" if not words else files)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert said in done.stderr
    assert "make" not in done.stderr


def test_an_index_of_no_name_is_a_problem_and_not_none(files: Path) -> None:
    done = run(*CHECK, "--against=", cwd=files)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "problem: INDEX= is no index")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_that_all_is_well_has_to_arrive(files: Path) -> None:
    done = run("sh", "-c", f"{' '.join(CHECK)} --json > /dev/full", cwd=files)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        "problem: there is no room for stdout: No space left on device",
    ), done


def test_files_and_folders_are_judged_together_and_those_of_one_name_are_told_apart(files: Path) -> None:
    other = files / "other"
    other.mkdir()
    (other / WHEEL).write_bytes(good_wheel({f"{INFO}/METADATA": METADATA.replace("A sample", "Another", 1).encode()}))
    done = run(*CHECK, f"dist/{WHEEL}", "other", f"dist/{SDIST}", "--json", cwd=files)
    assert [(each["file"], each["rule"]) for each in json.loads(done.stdout)] == [(f"other/{WHEEL}", "metadata-agrees")]
    good = run(*CHECK, "dist", f"dist/{WHEEL}", cwd=files)
    assert good.returncode == 0, good.stderr
    assert [line.split()[2] for line in good.stdout.splitlines()] == ["file,", f"dist/{WHEEL}", f"dist/{SDIST}"]


def test_only_the_rules_that_are_asked_for_count(files: Path) -> None:
    (files / "dist" / "x.txt").write_text("x", encoding="utf-8")
    (files / "dist" / "x.whl").write_text("x", encoding="utf-8")
    every = run(*CHECK, "--json", cwd=files)
    assert {each["rule"] for each in json.loads(every.stdout)} == {"file-name"}
    assert run(*CHECK, "--ignore=file-name, no-bomb", cwd=files).returncode == 0
    assert run(*CHECK, "--select=no-bomb", cwd=files).returncode == 0
    assert run(*CHECK, "--select=no-bomb,file-name", cwd=files).returncode == 1


def test_what_is_said_outside_of_a_copy_can_be_done_there(files: Path) -> None:
    (files / "empty").mkdir()
    done = run(*CHECK, "empty", cwd=files)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "problem: empty is empty\n  build into it, or name another folder\n"
    (files / "dist" / "x.txt").write_text("x", encoding="utf-8")
    assert "make " not in run(*CHECK, cwd=files).stderr


def test_what_uploaders_leave_out_is_left_out(files: Path) -> None:
    for name in (".gitignore", f"{WHEEL}.asc", f"{SDIST}.publish.attestation"):
        (files / "dist" / name).write_text("*", encoding="utf-8")
    done = run(*CHECK, cwd=files)
    assert done.returncode == 0, done.stderr


# ---- in another project ---------------------------------------------------------------------------------------------

FIELDS = parse_email(METADATA)[0]
# What the sample declares, but for its version and its summary.
NAMED = f"""[project]
name = "{PROJECT.name}"
requires-python = "{FIELDS["requires_python"]}"
urls.Repository = "{FIELDS["project_urls"]["Repository"]}"
"""
POETRY = "[build-system]\nbuild-backend = 'poetry.core.masonry.api'\n[tool.poetry]\nname = 'x'\n"
# Legal, and unusual.
ODD = {
    "nothing": "",
    "another tool's": "[tool.black]\nline-length = 99\n",
    "poetry's own": POETRY,
    "a dynamic version": f'{NAMED}dynamic = ["version", "readme", "description"]\n',
    "dynamic of another kind": f'{NAMED}dynamic = "description"\nversion = "v0.1.00"\n',
    "no table": "project = 5\ntool = 7\nbuild-system = []\n",
    "a name of another kind": "[project]\nname = 7\nversion = '1'\n",
    "a requirement that is none": f"{NAMED}optional-dependencies.x = ['>x']\ndynamic = ['version', 'description']\n",
    "a table inline": "project = { name = 'tin-can', version = '0.1' }\n",
    "maturin elsewhere": f"{NAMED}version = '0.1.0'\ndescription = 'A sample'\ntool.maturin.python-source = 'lib'\n",
}


@pytest.mark.parametrize("name", ODD)
def test_a_legal_and_odd_pyproject_ends_nothing_and_what_is_not_judged_is_said(files: Path, name: str) -> None:
    (files / "pyproject.toml").write_text(ODD[name], encoding="utf-8")
    done = run(*CHECK, cwd=files)
    note, *findings = done.stderr.splitlines()
    assert note.startswith("note: this is a project of ")
    assert "Traceback" not in done.stderr
    assert all("[declared-metadata]" in line for line in findings if line.endswith("]"))
    if name != "a requirement that is none":
        assert (done.returncode, findings) == (0, [])


def findings_in(files: Path, pyproject: str, *paths: str) -> list[str]:
    """Return what is found in a project with this pyproject.toml, and judged by what that declares."""
    (files / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    found = check([files / path for path in paths or ("dist",)], Project(files))
    assert {each.rule for each in found if each.level != "ignored"} <= {"declared-metadata"}
    return [f"{Path(each.file).name}: {each.what}" for each in found if each.level != "ignored"]


def test_what_another_project_declares_is_compared_with_its_files(files: Path) -> None:
    summary = f'{NAMED}version = "0.1.0"\ndescription = '
    assert findings_in(files, f'{summary}"A  sample"') == []
    assert findings_in(files, f'{summary}"An example"', f"dist/{WHEEL}") == [
        f"{WHEEL}: its summary has 'A sample', and this project's pyproject.toml 'An example'"
    ]


def test_of_another_version_no_more_is_told_and_of_another_name_nothing(files: Path) -> None:
    assert findings_in(files, f'{NAMED}version = "0.2"\n', f"dist/{WHEEL}") == [
        f"{WHEEL}: its version has '0.1.0', and this project's pyproject.toml '0.2'"
    ]
    assert findings_in(files, '[project]\nname = "tin-can"\nversion = "0.2"\n') == []


def test_what_another_project_ignores_is_ignored(files: Path) -> None:
    ignore = '[tool.roadworthy]\nignore = ["declared-metadata: the old one stays"]\n'
    assert findings_in(files, f'{NAMED}version = "0.2"\n{ignore}') == []
    (files / "pyproject.toml").write_text('[tool.roadworthy]\nignore = ["no-bom: x"]\n', encoding="utf-8")
    done = run(*CHECK, cwd=files)
    assert done.returncode == 1
    assert "rules like it: no-bomb" in done.stderr


# ---- for GitHub -----------------------------------------------------------------------------------------------------

TEXTS = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}


def closed(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """Return the schema of an object that has all of these, and no other."""
    return {"type": "object", "required": [*properties], "properties": properties, "additionalProperties": False}


def many(items: dict[str, Any], least: int = 1) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "minItems": least}


WORD = {"type": "string", "minLength": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# What GitHub asks of SARIF 2.1.0, all of which is used.
PLACE = closed(artifactLocation=closed(uri=WORD), region=closed(startLine={"const": 1}))
RESULT = closed(
    ruleId=WORD,
    level=LEVEL,
    message=TEXTS,
    locations=many(closed(physicalLocation=PLACE)),
    partialFingerprints=closed(primaryLocationLineHash=WORD),
    suppressions=many(closed(kind={"const": "external"}), 0),
)
RULE = closed(id=WORD, shortDescription=TEXTS, help=TEXTS)
DRIVER = closed(name=WORD, version=WORD, rules=many(RULE))
SARIF = closed(
    version={"const": "2.1.0"},
    runs=many(closed(tool=closed(driver=DRIVER), results=many(RESULT, 0))),
)


def test_sarif_has_each_finding_with_its_file_and_each_rule_with_its_help(files: Path) -> None:
    (files / "pyproject.toml").write_text(
        '[tool.roadworthy]\nignore = ["file-name: they are meant"]\n', encoding="utf-8"
    )
    (files / "dist" / "x y.txt").write_text("x", encoding="utf-8")
    (files / "dist" / WHEEL).write_bytes(
        good_wheel({f"{INFO}/METADATA": METADATA.replace("0.1.0", "0.2.0", 1).encode()})
    )
    done = run(*CHECK, "--sarif", cwd=files)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    jsonschema.validate(found, SARIF)
    (one,) = found["runs"]
    places = {
        (each["ruleId"], each["level"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for each in one["results"]
    }
    assert ("file-name", "note", "dist/x%20y.txt") in places
    assert ("name-and-version-agree", "error", f"dist/{WHEEL}") in places
    helps = {each["id"]: each["help"]["text"] for each in one["tool"]["driver"]["rules"]}
    assert all(rule in helps for rule, *_ in places)
    assert "- Remedy: " in helps["no-bomb"]


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """Return the action."""
    content = yaml.safe_load((ENGINE / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def run_action(action: dict[str, Any], cwd: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
    """Run the action's own line as GitHub would: by bash, its inputs in the environment."""
    given = {name: str(each["default"]) for name, each in action["inputs"].items()} | inputs
    (step,) = (each for each in action["runs"]["steps"] if "run" in each)
    values = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], text)
        for name, text in step["env"].items()
    }
    path = os.pathsep.join([str(venv_bin("uvx").parent), os.environ["PATH"]])
    more = {**LOCKED, "GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(ENGINE), "PATH": path}
    return run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=cwd, **values, **more)


def test_the_action_is_one_and_pinned_as_the_workflow_is(action: dict[str, Any]) -> None:
    path = ENGINE / "action.yml"
    done = run(venv_bin("check-jsonschema"), "--builtin-schema=vendor.github-actions", path)
    assert done.returncode == 0, done.stdout
    if os.name != "nt":
        done = run(venv_bin("zizmor"), "--offline", "--pedantic", "--quiet", path)
        assert done.returncode == 0, done.stdout
        lines = "\n".join(["#!/bin/bash", action["runs"]["steps"][1]["run"]])
        done = subprocess.run([venv_bin("shellcheck"), "-"], input=lines, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    pinned = re.search(r"uses: astral-sh/setup-uv@.*\n +with:\n +version: .*\n", path.read_text(encoding="utf-8"))
    assert pinned
    workflow = PROJECT.read(PROJECT.workflow_path)
    assert all(line.strip() in workflow for line in pinned[0].splitlines())


def test_the_action_takes_what_it_is_given_as_text(action: dict[str, Any], files: Path) -> None:
    (files / "a b").mkdir()
    (files / "dist" / WHEEL).rename(files / "a b" / WHEEL)
    done = run_action(action, files, files="dist\na b\n", strict="true")
    assert done.returncode == 0, done.stderr
    assert WHEEL in done.stdout
    hostile = run_action(action, files, files="$(touch x)", select='no-bomb"; touch y', ignore="`touch z`")
    assert hostile.returncode == 2
    assert {each.name for each in files.iterdir()} == {"dist", "a b"}
    (files / "dist" / "x.txt").write_text("x", encoding="utf-8")
    refused = run_action(action, files)
    assert refused.returncode == 1
    assert "\n::error title=file-name::" in refused.stdout
    assert run_action(action, files, ignore="file-name").returncode == 0
    assert run_action(action, files, strict="yes").returncode == 2


# ---- before a push --------------------------------------------------------------------------------------------------


def test_a_push_is_refused_while_what_lies_in_dist_is_wrong(built: Path, files: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    hook = code("yaml", 1)
    assert "roadworthy==" in hook
    hook = re.sub(r"roadworthy==[\d.]+", str(wheel), hook)
    (files / ".pre-commit-config.yaml").write_text(hook, encoding="utf-8")
    (files / ".gitignore").write_text("dist/\n", encoding="utf-8")
    (files / "dist" / "x.txt").write_text("x", encoding="utf-8")
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    # What the engine needs is .venv's, so that pip fetches none of that.
    environment = {
        **identity,
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "PIP_NO_DEPS": "1",
        "PYTHONPATH": str(Path(pytest.__file__).parents[1]),
        "PATH": os.pathsep.join([str(venv_bin("python").parent), os.environ["PATH"]]),
    }
    for command in (
        ("git", "init", "--quiet", "--bare", tmp_path / "remote.git"),
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "add", "."),
        ("git", "commit", "--quiet", "--message=x"),
        ("git", "remote", "add", "origin", tmp_path / "remote.git"),
        (venv_bin("pre-commit"), "install", "--hook-type=pre-push"),
    ):
        done = run(*command, cwd=files, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
    refused = run("git", "push", "origin", "main", cwd=files, **environment)
    assert refused.returncode == 1
    assert "dist/x.txt\n  Invalid file extension" in refused.stdout + refused.stderr
    (files / "dist" / "x.txt").unlink()
    done = run("git", "push", "origin", "main", cwd=files, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
