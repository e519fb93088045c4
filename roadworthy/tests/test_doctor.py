"""What has to be told to PyPI and GitHub, compared with what CI.yml and pyproject.toml say. No network is asked."""

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers import PROJECT, run
from pipeline_index import PackageIndex, running
from roadworthy.ci import doctor
from roadworthy.project import Project
from roadworthy.terminal import ProblemsError
from workshop.workflows.pipeline import Pipeline

CI = Pipeline.of(PROJECT)


def free(*_: object) -> str:
    """Take the place of asking an index far away."""
    return "The name is free"


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
    text = printed(capsys)
    owner, name = repository().split("/")
    jobs = {job: CI.jobs[job]["environment"] for job in CI.doing("uv publish")}
    assert len(jobs) == 2
    for index, environment in {"pypi": jobs["publish-pypi"], "testpypi": jobs["publish-testpypi"]}.items():
        form = text.split(f"The trusted publisher on {index} ", 1)[1].split("\n\n", 1)[0].splitlines()[1:6]
        pairs = [line.strip().split("  ", 1) for line in form]
        assert {field: value.strip() for field, value in pairs} == {
            "PyPI project name": PROJECT.pyproject["project"]["name"],
            "Owner": owner,
            "Repository name": name,
            "Workflow name": PROJECT.workflow_file,
            "Environment name": environment,
        }


def test_every_command_is_one_for_this_repository(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in printed(capsys).splitlines() if line.startswith("  gh ")]
    assert len(lines) == 7
    apis = [words for words in map(shlex.split, lines) if words[:2] == ["gh", "api"]]
    assert len(apis) == 6
    for words in apis:
        assert words[2] in {"--method=PUT", "--method=POST"}
        assert words[3].startswith(f"repos/{repository()}/")
        rest = words[4:]
        if rest[:2] == ["--input=-", "<<<"]:
            (body,) = rest[2:]
            assert isinstance(json.loads(body), dict)
        else:
            assert set(rest[::2]) <= {"-F"}
            assert all("=" in field for field in rest[1::2])


def body_of(command: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    return json.loads(shlex.split(command)[-1])


def test_refs_are_ruled_by_rulesets() -> None:
    commands = doctor.set_up_commands(PROJECT)
    tags, branch = (body_of(lines[0]) for lines in commands.values() if "/rulesets " in lines[0])
    assert tags["conditions"]["ref_name"] == {"include": ["refs/tags/v*"], "exclude": []}
    assert [rule["type"] for rule in tags["rules"]] == ["update", "deletion"]
    assert branch["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    (rule,) = branch["rules"]
    # What `make release` looks for before it builds anything.
    assert rule["type"] == "required_status_checks"
    (check,) = rule["parameters"]["required_status_checks"]
    assert check == {"context": CI.jobs["passed"]["name"]}


def test_the_environments_and_the_check_are_those_of_the_workflow(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    for job in CI.doing("uv publish"):
        environment = CI.jobs[job]["environment"]
        assert f"repos/{repository()}/environments/{environment}" in text
    (step,) = [step for step in CI.jobs["publish-testpypi"]["steps"] if "env" in step]
    (variable,) = step["env"]
    assert step["env"][variable] == f"${{{{ vars.{variable} }}}}"
    environment = CI.jobs["publish-testpypi"]["environment"]
    assert f"gh variable set {variable} --env {environment} --body https://" in text


def test_only_tags_of_releases_get_into_the_environment_of_pypi() -> None:
    (commands,) = [
        lines for title, lines in doctor.set_up_commands(PROJECT).items() if title.startswith("The environment pypi: ")
    ]
    assert body_of(commands[1]) == {"name": "v*", "type": "tag"}
    tags = CI.workflow["on"]["push"]["tags"]
    assert all(tag.startswith("v") for tag in tags)


def test_it_says_whether_the_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")
    with running(PackageIndex({"a": b"a"})) as index:
        monkeypatch.setenv("UV_PUBLISH_URL", index.upload)
        assert doctor.say_taken(PROJECT, "pypi").startswith("The project is there: add the publisher to it")
        free = "The name is free. A pending publisher does not reserve it; soon run: make release VERSION=0.1.0-alpha1"
        assert doctor.say_taken(Project(tmp_path), "pypi") == free
        index.content_type = "text/plain"
        asked = "whether the name is free could not be asked"
        assert doctor.say_taken(PROJECT, "pypi") == f"{asked} (UnsupportedContentTypeError)"
    assert doctor.say_taken(PROJECT, "pypi") == f"{asked} (ConnectionError)"


def test_what_it_advises_to_send_first_can_be_sent(tmp_path: Path) -> None:
    text = 'name = "other"\nversion = "0.3.0-rc1"\n'
    for name, table in {"pyproject.toml": "project", "Cargo.toml": "package", "Cargo.lock": "[package]"}.items():
        (tmp_path / name).write_text(f"[{table}]\n{text}", encoding="utf-8")
    project = Project(tmp_path)
    project.checkout.ask("init", "--quiet")
    assert doctor.first_upload(project, "testpypi") == "gh workflow run CI.yml --field testpypi=true"
    assert "testpypi" in CI.workflow["on"]["workflow_dispatch"]["inputs"]
    assert doctor.first_upload(project, "pypi") == "make release VERSION=0.1.0-alpha1"
    blob = project.checkout.ask("hash-object", "-w", "pyproject.toml")
    project.checkout.ask("update-ref", "refs/tags/v0.3.0-rc1", blob)
    assert doctor.first_upload(project, "pypi") == "make release VERSION=0.3.0-rc2"


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
    assert "gh api" in capsys.readouterr().out


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
