"""Verifying wheels in containers. In place of `docker` is a program of ours that needs no other system."""

import ast
import json
import runpy
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from broken import Files, repack_sdist, repack_wheel
from helpers import PROJECT, run
from pipeline_steps import stand_in
from roadworthy import pythons
from roadworthy.building import toolchain
from roadworthy.pythons import Python
from roadworthy.terminal import ProblemsError
from roadworthy.verifying import environment as containers
from roadworthy.verifying.artefacts import Artefacts, Source
from roadworthy.verifying.environment import Environment, docker_run, engine
from roadworthy.verifying.jobs import Job, select

HOST = toolchain.host_triple(PROJECT)
IMAGE = "some/image:1"
THIS = Python(sys.version_info[:3], free_threaded=False, path=Path(sys.executable).resolve())
NATIVE = f"{PROJECT.import_name}/_core.abi3.so"

pytestmark = pytest.mark.skipif(
    not HOST.endswith("-linux-gnu") or not (THIS.path.parent / f"python{THIS.name}").exists(),
    reason="a container is this machine, which is no Linux, or has not this Python on PATH",
)


@dataclass(frozen=True)
class Docker:
    """The stand-in: its settings, and what it was told."""

    folder: Path

    def set(self, *, running: bool = True, path: str = "") -> None:
        """Let it run or not, with a PATH that has this machine's Pythons or another one."""
        here = f"{THIS.path.parent}:{pythons.search_path()}"
        settings = {"running": running, "path": path or here, "log": str(self.folder / "log")}
        (self.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        containers.engine.cache_clear()

    def commands(self) -> list[list[str]]:
        """Return the words after `docker run`, for each container."""
        return [json.loads(line) for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Docker:
    """Write the stand-in."""
    folder = tmp_path_factory.mktemp("docker")
    stand_in(folder, "docker", "pipeline_docker.py", folder / "settings.json")
    return Docker(folder)


@pytest.fixture
def docker(installed: Docker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    """Put it on PATH, running and with nothing told."""
    monkeypatch.setenv("PATH", str(installed.folder), prepend=":")
    (installed.folder / "log").write_bytes(b"")
    installed.set()
    yield installed
    containers.engine.cache_clear()


def read_source(folder: Path, unpacked: Path) -> Source:
    return Source(PROJECT, Artefacts.read(PROJECT, folder, PROJECT.version, None, unpacked))


def some_source(folder: Path, target: str = "", image: str = "") -> Source:
    """Return a source of which nothing is read."""
    return Source(PROJECT, Artefacts(folder, PROJECT.version, folder, folder, {}), target=target, image=image)


def plan(source: Source, wheels: str, folder: Path) -> list[Job]:
    """Return the jobs that the page plans."""
    page = runpy.run_path(str(PROJECT.root / "scripts" / "verify_install.py"))
    return list(page["plan"]([THIS], source, select(source, wheels, folder)))


def container_jobs(source: Source, folder: Path) -> list[Job]:
    """Return the jobs in containers."""
    return [job for job in plan(source, f"{HOST}@{IMAGE}", folder) if job.source.image]


def said(job: Job) -> str:
    return "\n".join(one.what for one in job.problems)


def mounted(command: list[str]) -> list[str]:
    return [word.split("=", 1)[1].split(":")[0] for word in command if word.startswith("--volume=")]


# ---- what is done in one --------------------------------------------------------------------------------------------


def require_something(files: Files) -> None:
    """Let a wheel require and import what only an index has."""
    (metadata,) = (file for file in files if file.endswith("/METADATA"))
    files[metadata] = b"Requires-Dist: typing-extensions>=4.12\n" + files[metadata]
    files[f"{PROJECT.import_name}/__init__.py"] += b"\nimport typing_extensions\n"


def promise_it(files: Files) -> None:
    """Let an sdist say the same."""
    top = next(iter(files)).split("/", 1)[0]
    files[f"{top}/PKG-INFO"] = b"Requires-Dist: typing-extensions>=4.12\n" + files[f"{top}/PKG-INFO"]
    files[f"{top}/python/{PROJECT.import_name}/__init__.py"] += b"\nimport typing_extensions\n"


@pytest.fixture(scope="module")
def done(dist: Path, wheel: Path, installed: Docker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Verify the good set, among wheels for others, and one whose library is broken, at the same time."""
    folder = tmp_path_factory.mktemp("verified")
    jobs = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(installed.folder), prepend=":")
        (installed.folder / "log").write_bytes(b"")
        installed.set()
        for how in ("good", "broken"):
            wheelhouse = Path(shutil.copytree(dist, folder / how / "wheelhouse"))
            for path in list(wheelhouse.glob("*.whl")):
                for platform in ("musllinux_1_2_x86_64", "win_amd64", "macosx_11_0_arm64"):
                    shutil.copy(path, wheelhouse / f"{path.name.rsplit('-', 1)[0]}-{platform}.whl")
            if how == "broken":
                repack_wheel(wheel, wheelhouse, lambda files: files.update({NATIVE: b"not a library"}))
            if how == "good":
                repack_wheel(wheel, wheelhouse, require_something)
                repack_sdist(next(wheelhouse.glob("*.tar.gz")), wheelhouse, promise_it)
            source = read_source(wheelhouse, folder / how / "sdist")
            (jobs[how],) = container_jobs(source, folder / how / "wheels")
        with ThreadPoolExecutor() as pool:
            ended = {how: pool.submit(job.run, folder / how / "job") for how, job in jobs.items()}
            for each in ended.values():
                each.result()
    containers.engine.cache_clear()
    return {"jobs": jobs, "folder": folder, "commands": installed.commands()}


def test_a_good_wheel_is_installed_and_its_tests_pass(done: dict[str, Any]) -> None:
    job = done["jobs"]["good"]
    assert job.problems == []
    assert " passed" in job.result
    assert job.title == f"wheel for {HOST} in {IMAGE}"


def test_a_broken_wheel_fails_with_what_is_wrong(done: dict[str, Any]) -> None:
    job = done["jobs"]["broken"]
    assert said(job).startswith("import ferrous_wheel fails: ImportError: ")
    assert job.result == ""


def test_only_the_targets_wheels_are_offered(done: dict[str, Any], wheel: Path) -> None:
    (offered,) = (done["folder"] / "good" / "wheels").iterdir()
    assert len(list(offered.iterdir())) == len(PROJECT.python_tags)
    assert all(path.name.endswith(wheel.name.rsplit("-", 1)[1]) for path in offered.iterdir())
    told = [command for command in done["commands"] if str(offered) in command]
    assert [command[command.index("--find-links") + 1] for command in told] == [str(offered)]
    assert all("--no-index" in command for command in told)
    assert not any("wheelhouse" in folder for command in done["commands"] for folder in mounted(command))


def test_a_container_gets_its_folders_and_nothing_of_this_machine(done: dict[str, Any]) -> None:
    good = done["folder"] / "good"
    commands = [command for command in done["commands"] if f"--workdir={good / 'job' / 'empty'}" in command]
    # An environment, the wheel, what is installed, the tests.
    assert len(commands) == 4
    (unpacked,), (offered,) = (good / "sdist").iterdir(), (good / "wheels").iterdir()
    for command in commands:
        assert set(mounted(command)) == {
            str(good / "job"),
            str(PROJECT.root),
            str(offered),
            str(unpacked),
        }
        variables = {word for word in command if word.startswith("--env=")}
        # Their values are not on the command line.
        assert variables >= {"--env=HOME", "--env=PYTHONDONTWRITEBYTECODE"}
        assert not any("=" in word.removeprefix("--env=") for word in variables)
        assert {"--rm", "--init"} < set(command)
        assert IMAGE in command
    assert f"--entrypoint=python{THIS.name}" in commands[0]


def test_what_is_fetched_for_a_container_is_fetched_here(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX", "x=https://somebody:secret-word@127.0.0.1/x/")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    environment = Environment(PROJECT, THIS, tmp_path / "job", IMAGE, HOST)
    ask = (THIS.path.name, "-I", "-c", "import os; print(dict(os.environ))")
    fetching, testing = (ast.literal_eval(environment.run("", *ask, fetches=fetches)) for fetches in (True, False))
    assert "secret" in fetching["UV_INDEX"]
    assert testing.keys() - {"PATH", "LC_CTYPE"} == {"HOME", "PYTHONDONTWRITEBYTECODE"}
    (command,) = docker.commands()
    assert "secret" not in str(command)


# ---- what is planned ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("docker")
def test_jobs_in_containers_and_on_this_machine_are_both_planned(dist: Path, tmp_path: Path) -> None:
    source = read_source(dist, tmp_path / "sdist")
    places = [HOST, f"{HOST}@{IMAGE}", f"{HOST}@other:2"]
    jobs = plan(source, " ".join(places), tmp_path / "wheels")
    assert [job.title for job in jobs] == [
        "sdist",
        f"wheel for {HOST} in {IMAGE}",
        f"wheel for {HOST} in other:2",
        f"wheel for {HOST}",
        f"wheel for {HOST}, by its own pip",
        f"wheel for {HOST}, by the newest pip",
    ]
    # Each place has a folder of its own with its wheels.
    assert len(list((tmp_path / "wheels").iterdir())) == len(places)


def test_an_image_may_have_a_digest_and_a_registry_with_a_port(dist: Path, tmp_path: Path) -> None:
    wheels = f"{HOST}@127.0.0.1:5000/some/image@sha256:{'0' * 64}"
    chosen = read_source(dist, tmp_path / "sdist").choose(wheels, tmp_path / "wheels")
    assert (chosen.target, chosen.image) == (HOST, f"127.0.0.1:5000/some/image@sha256:{'0' * 64}")


@pytest.mark.parametrize("text", ["sparc-unknown-linux-gnu", f"sparc-unknown-linux-gnu@{IMAGE}", "@"])
def test_a_target_without_wheels_is_refused(text: str, tmp_path: Path) -> None:
    source = some_source(tmp_path)
    with pytest.raises(ProblemsError, match="no wheels are built for "):
        select(source, text, tmp_path)


def test_a_set_without_the_targets_wheels_is_refused(dist: Path, docker: Docker, tmp_path: Path) -> None:
    other = next(triple for triple in PROJECT.platform_tags if triple != HOST)
    source = read_source(dist, tmp_path / "sdist")
    with pytest.raises(ProblemsError, match=f"holds 0 of the 3 wheels for {other}: "):
        plan(source, f"{other}@{IMAGE}", tmp_path / "wheels")
    assert docker.commands() == []


# ---- what can be missing --------------------------------------------------------------------------------------------


def test_an_image_without_the_python_is_told(docker: Docker, tmp_path: Path) -> None:
    docker.set(path="/nowhere")
    page = runpy.run_path(str(PROJECT.root / "scripts" / "verify_install.py"))
    job = Job(THIS, "wheel", page["wheel"], some_source(tmp_path, HOST, IMAGE)).run(tmp_path / "job")
    assert said(job) == f"there is no python{THIS.name} in {IMAGE} that makes an environment with its own pip"
    assert "executable file not found" in job.problems[0].said


@pytest.mark.parametrize(("there", "words"), [(True, "docker is not running"), (False, "docker is not installed")])
def test_without_docker_there_is_one_clear_line(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool, words: str
) -> None:
    if there:
        docker.set(running=False)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProblemsError) as caught:
        engine()
    (problem,) = caught.value.problems
    assert problem.what == f"{words}, so nothing can be verified in a container"
    assert problem.remedy == "start it, or leave out what has an @"
    assert docker.commands() == []


@pytest.mark.usefixtures("dist")
def test_the_command_ends_with_one_clear_line_too(docker: Docker) -> None:
    docker.set(running=False)
    command = (
        sys.executable,
        PROJECT.root / "scripts" / "verify_install.py",
        f"--from={PROJECT.root}",
        f"--wheels={HOST}@{IMAGE}",
        f"--python={THIS.path}",
    )
    refused = run(*command)
    assert refused.returncode == 1
    problem = "docker is not running, so nothing can be verified in a container"
    assert refused.stderr == f"problem: {problem}\n  start it, or leave out what has an @\n"


def test_a_folder_that_is_not_mounted_cannot_be_seen(docker: Docker, tmp_path: Path) -> None:
    """So the tests above would fail if one were forgotten."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    assert run(*docker_run(IMAGE, ["ls", mine], [mine])).returncode == 0
    refused = run(*docker_run(IMAGE, ["ls", other], [mine]))
    assert refused.returncode == 125
    assert f"{other} is in no folder that is mounted" in refused.stderr
    assert run(*docker_run(IMAGE, ["ls"], [tmp_path / "none"])).returncode == 125
    assert len(docker.commands()) == 3


def test_a_command_that_fails_in_a_container_fails_the_job(docker: Docker, tmp_path: Path) -> None:
    def steps(environment: Environment, _: Source) -> str:
        environment.run("that is no program", "python-of-nowhere")
        return "never"

    job = Job(THIS, "wheel", steps, some_source(tmp_path, HOST, IMAGE)).run(tmp_path / "job")
    assert said(job) == "that is no program"
    assert 'exec: "python-of-nowhere": executable file not found' in job.problems[0].said
    assert len(docker.commands()) == 1
