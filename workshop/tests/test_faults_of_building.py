"""What goes wrong between the machines that build and the gate: what is built is missing, another, or broken."""

import shutil
import zipfile
from pathlib import Path

import pytest

from helpers import PROJECT
from rehearsal_faults import Base, Fault, Scene, require_stated
from roadworthy.building.toolchain import host_triple
from roadworthy.gate.model import LIBRARY_NAME
from roadworthy.sums import sha256
from workshop.rehearsing.runner import Run


def collecting(scene: Scene, **others: object) -> tuple[Run, Path]:
    """Return a run that begins where the artefacts of all machines are put together, and the wheels' artefact."""
    run = scene.start("make collect", **others)
    return run, run.artefacts / f"built-{host_triple(PROJECT)}"


def stable(built: Path) -> Path:
    """Return the wheel of the stable ABI, in the artefact of a machine."""
    (wheel,) = (built / "dist").glob("*-abi3-*.whl")
    return wheel


def list_anew(built: Path) -> None:
    """Write the SHA256SUMS of an artefact as if its files had been built so; the sdist is in another one."""
    sdist = [
        line
        for line in (built / PROJECT.sums.name).read_text(encoding="utf-8").splitlines()
        if line.endswith(".tar.gz")
    ]
    wheels = [f"{sha256(path.read_bytes())}  dist/{path.name}" for path in sorted((built / "dist").iterdir())]
    (built / PROJECT.sums.name).write_text("".join(f"{line}\n" for line in [*wheels, *sdist]), encoding="utf-8")


def wheel_missing(scene: Scene) -> None:
    """A machine builds one wheel less than it should, and says nothing of it."""
    run, built = collecting(scene)
    stable(built).unlink()
    list_anew(built)
    scene.go(run)


def wheel_of_another_version(scene: Scene) -> None:
    """A wheel of an earlier version lies in a machine's dist/."""
    run, built = collecting(scene)
    wheel = stable(built)
    shutil.copy(wheel, wheel.with_name(wheel.name.replace(scene.base.release.text, "0.0.1")))
    list_anew(built)
    scene.go(run)


def wheel_changed_on_the_way(scene: Scene) -> None:
    """A wheel is changed after the machine that built it has written down its hash."""
    run, built = collecting(scene)
    with stable(built).open("ab") as stream:
        stream.write(b"more")
    scene.go(run)


def wheel_built_twice(scene: Scene) -> None:
    """Two machines build a wheel of the same name."""
    run, built = collecting(scene)
    shutil.copytree(built, built.with_name("built-again"))
    scene.go(run)


def wheel_for_its_builder_only(scene: Scene) -> None:
    """A wheel is tagged for the machine that built it, and for no other Linux."""
    run, built = collecting(scene)
    wheel = stable(built)
    wheel.rename(wheel.with_name(f"{wheel.name.rsplit('-', 1)[0]}-linux_x86_64.whl"))
    list_anew(built)
    scene.go(run)


def wheel_without_its_module(scene: Scene) -> None:
    """A wheel has everything but the compiled module."""
    run, built = collecting(scene)
    wheel = stable(built)
    whole = wheel.rename(wheel.with_suffix(".whole"))
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if not LIBRARY_NAME.search(entry.filename):
                new.writestr(entry, old.read(entry))
    whole.unlink()
    list_anew(built)
    scene.go(run)


def disk_full(scene: Scene) -> None:
    """There is no room for dist/ on the machine that puts it together."""
    # In blocks of 512 or 1,024 bytes, by the shell: less than any wheel.
    run, _ = collecting(scene, before={"make collect": "ulimit -f 64"})
    scene.go(run)


FAULTS = (
    Fault(wheel_missing, "make check-dist", "missing: .*-abi3-"),
    Fault(wheel_of_another_version, "make check-dist", r"not expected: \S+-0\.0\.1-cp3"),
    Fault(wheel_changed_on_the_way, "make collect", "has the SHA-256 .*, and .*SHA256SUMS says"),
    Fault(wheel_built_twice, "make collect", "was built by .*: one would replace the other"),
    Fault(wheel_for_its_builder_only, "make check-dist", "linux_x86_64"),
    Fault(wheel_without_its_module, "make check-dist", "there are 0 files of"),
    Fault(disk_full, "make collect", "there is no room for"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_it_ends_as_stated(fault: Fault, rehearsed: Base, tmp_path: Path) -> None:
    require_stated(fault, rehearsed, tmp_path / "place")
