"""What has to be told to PyPI and GitHub, compared with what CI.yml and pyproject.toml say. No network is asked."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from helpers import PROJECT, run
from pipeline_index import PackageIndex, running
from roadworthy.ci import doctor
from roadworthy.index import upload_address
from roadworthy.project import Project
from roadworthy.repository import environment
from roadworthy.terminal import ProblemsError
from workshop.workflows.pipeline import Pipeline

CI = Pipeline.of(PROJECT)


def free(*_: object) -> str:
    """Take the place of asking an index far away."""
    return "is free"


def repository() -> str:
    """Return owner/repo as pyproject.toml has it."""
    address = PROJECT.pyproject["project"]["urls"]["Repository"]
    return str(address).split("/", 3)[3]


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Run the script in this process, and return what it prints."""
    doctor.main(PROJECT, [], free)
    return capsys.readouterr().out


def test_each_index_is_told_what_the_workflow_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The environment is the one that the job which publishes there runs in."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in printed(capsys).splitlines()]
    owner, name = repository().split("/")
    jobs = {job: CI.jobs[job]["environment"] for job in CI.doing("uv publish")}
    assert len(jobs) == 2
    assert rows[:7] == [
        ["Trusted publisher", "pypi", "testpypi"],
        ["PyPI project name", *[PROJECT.pyproject["project"]["name"]] * 2],
        ["Owner", owner, owner],
        ["Repository name", name, name],
        ["Workflow name", *[PROJECT.workflow_file] * 2],
        ["Environment name", jobs["publish-pypi"], jobs["publish-testpypi"]],
        ["The name", "is free", "is free"],
    ]


def test_what_github_has_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a gh that knows of one environment and a ruleset, and cannot be asked for the variable."""
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/sh\ncase "$*" in\n*auth*) ;;\n*/variables/*) echo "HTTP 403" >&2; exit 1;;\n'
        "*environments/pypi|*targets=tag) echo '[1]';;\n*targets=branch) echo '[]';;\n"
        '*) echo "HTTP 404: Not Found" >&2; exit 1;;\nesac\n',
        encoding="utf-8",
    )
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environment.cache_clear()
    rows = [re.split(r"\s{2,}", line.strip()) for line in printed(capsys).splitlines()]
    environment.cache_clear()
    address = upload_address("testpypi")
    assert rows[7:] == [
        ["Environment pypi", "is there"],
        ["Environment testpypi", "is missing"],
        [f"PUBLISH_URL {address}", "HTTP 403"],
        ["Ruleset of tags v*", "is there"],
        [f"Ruleset of branches, check {CI.jobs['passed']['name']}", "is missing"],
        ["how it is set: docs/publishing.md"],
    ]


def commands() -> list[list[str]]:
    """Return the words of each command that sets GitHub up, as docs/publishing.md has them."""
    section = PROJECT.read("docs/publishing.md").split("\n### GitHub\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    lexed = [shlex.split(line) for block in blocks for line in re.split(r"\n(?=gh )", block.strip())]
    return [[word for word in words if word.strip()] for words in lexed]


def test_every_command_is_one_for_the_repository_in_whose_checkout_it_is_run() -> None:
    apis = [words for words in commands() if words[:2] == ["gh", "api"]]
    assert (len(apis), len(commands())) == (6, 7)
    for words in apis:
        assert words[2] in {"--method=PUT", "--method=POST"}
        assert words[3].startswith("repos/{owner}/{repo}/")
        if words[4:6] == ["--input=-", "<<<"]:
            (body,) = words[6:]
            assert isinstance(json.loads(body), dict)
        else:
            assert set(words[4::2]) <= {"-F", "-f"}
            assert all("=" in field for field in words[5::2])


def test_refs_are_ruled_by_rulesets() -> None:
    tags, branch = (json.loads(words[-1]) for words in commands() if words[3].endswith("/rulesets"))
    assert tags["conditions"]["ref_name"] == {"include": ["refs/tags/v*"], "exclude": []}
    assert [rule["type"] for rule in tags["rules"]] == ["update", "deletion"]
    assert all(tag.startswith("v") for tag in CI.workflow["on"]["push"]["tags"])
    assert branch["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    (rule,) = branch["rules"]
    # What `make release` looks for before it builds anything.
    assert rule["type"] == "required_status_checks"
    (check,) = rule["parameters"]["required_status_checks"]
    assert check == {"context": CI.jobs["passed"]["name"]}


def test_the_environments_and_the_variable_are_those_of_the_workflow() -> None:
    text = "\n".join(" ".join(words) for words in commands())
    for job in CI.doing("uv publish"):
        assert re.search(rf"/environments/{CI.jobs[job]['environment']}( |$)", text, re.MULTILINE)
    (step,) = [step for step in CI.jobs["publish-testpypi"]["steps"] if "env" in step]
    (variable,) = step["env"]
    assert step["env"][variable] == f"${{{{ vars.{variable} }}}}"
    environment = CI.jobs["publish-testpypi"]["environment"]
    assert f"gh variable set {variable} --env {environment} --body ADDRESS" in text


def test_it_says_whether_the_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")
    with running(PackageIndex({"a": b"a"})) as index:
        monkeypatch.setenv("UV_PUBLISH_URL", index.upload)
        assert doctor.say_taken(PROJECT, "pypi").startswith("is taken: add the publisher")
        assert doctor.say_taken(Project(tmp_path), "pypi") == "is free: have it soon"
        index.content_type = "text/plain"
        asked = "could not be asked"
        assert doctor.say_taken(PROJECT, "pypi") == f"{asked} (UnsupportedContentTypeError)"
    assert doctor.say_taken(PROJECT, "pypi") == f"{asked} (ConnectionError)"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with all that is needed for everything: the only one on PATH."""
    for tool in (*doctor.REQUIRED, "cargo", "rustc"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("tool", ["git", "make", "rustc"])
def test_what_is_missing_for_everything_is_a_problem_after_all_has_been_said(
    tools: Path, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    (tools / tool).unlink()
    with pytest.raises(ProblemsError) as caught:
        doctor.main(PROJECT, [], free)
    (found,) = caught.value.problems
    assert found.what.startswith(f"{tool} is not on PATH")
    assert "Environment pypi" in capsys.readouterr().out


@pytest.mark.usefixtures("tools")
def test_what_is_missing_for_something_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.main(PROJECT, [], free)
    said = capsys.readouterr().err
    for tool, purpose in doctor.OPTIONAL.items():
        assert f"{tool} is not on PATH; it is for: {purpose}\n" in said


def test_a_project_without_a_repository_on_github_is_told(tmp_path: Path) -> None:
    text = '[project]\nname = "other"\nurls.Repository = "http://localhost/owner/name"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsError, match="has no Repository on GitHub"):
        doctor.main(Project(tmp_path), [], free)


def test_an_argument_is_refused() -> None:
    done = run(sys.executable, "-m", "roadworthy", "doctor", "--fix")
    assert done.returncode == 2
    assert "unrecognized arguments: --fix" in done.stderr
