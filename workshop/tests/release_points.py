"""A release that something happens to after one of the programs that it runs, and what must then be so.

The points are those of the release's own log of steps.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from releases import Place, copy_place, environment, make_place

DRIVER = Path(__file__).with_name("release_until.py")
VERSION = "0.2.0"
WORKERS = 2


@dataclass(frozen=True)
class Ground:
    """Where every trial starts from, and what every release of it must lead to."""

    template: Place
    folder: Path
    steps: list[str]
    commit: str
    tag: str

    def copy(self, name: str) -> Place:
        place = copy_place(self.template, self.folder / name)
        (place.folder / "tmp").mkdir()
        return place

    def is_complete(self, place: Place) -> bool:
        """Say whether the remote holds the release, both refs of it."""
        refs = place.refs()
        return refs.get("refs/heads/main") == self.commit and refs.get(f"refs/tags/v{VERSION}") == self.tag

    def reaches_the_remote(self, step: str) -> bool:
        """Say whether a step asks the remote for something, or tells it something."""
        return step.startswith(("git ls-remote ", "git push ", "git fetch ", "git -c")) and " origin" in step

    def point_after(self, words: str) -> int:
        """Return the number of the step whose command line has these words."""
        (found,) = [number for number, step in enumerate(self.steps, start=1) if words in step]
        return found


def release(place: Place, what: str = "count", point: int = 0, **variables: str | None) -> "CompletedProcess[str]":
    """Release in a place, and do something after the step of that number."""
    driver = (str(DRIVER), what, str(point), str(place.remote), str(place.folder / "steps"))
    given = {**environment(), "TMPDIR": str(place.folder / "tmp"), **variables}
    return place.python(*driver, VERSION, "--yes", **given)


def make_ground(folder: Path) -> Ground:
    """Release once, and return where everything else starts from."""
    template = make_place(folder / "template")
    place = copy_place(template, folder / "whole")
    (place.folder / "tmp").mkdir()
    done = release(place)
    assert done.returncode == 0, done.stderr
    steps = (place.folder / "steps").read_text(encoding="utf-8").splitlines()
    steps = [line for line in steps if line.startswith(("git ", "cargo ", "rustc ", "/"))]
    assert f"steps: {len(steps)}, programs: {len(steps)}" in done.stdout, "a program was started that is not in the log"
    refs = place.refs()
    return Ground(template, folder, steps, refs["refs/heads/main"], refs[f"refs/tags/v{VERSION}"])


def try_points(ground: Ground, name: str, trial: Callable[[Ground, int, Place], Place], points: list[int]) -> None:
    """Try all points, some at the same time, and fail with every one that fails.

    Args:
        ground: Where they start from.
        name: A name of these trials.
        trial: Tries one in a place, and returns where the next one goes on: there, if it was left as it was.
        points: The numbers of the steps.
    """

    def attempt_some(first: int) -> str:
        place = ground.copy(f"{name}-{points[first]}")
        for point in points[first::WORKERS]:
            try:
                place = trial(ground, point, place)
            except AssertionError as error:
                return f"after step {point}, {ground.steps[point - 1]}: {error}"
        return ""

    with ThreadPoolExecutor(WORKERS) as pool:
        failed = [text for text in pool.map(attempt_some, range(min(WORKERS, len(points)))) if text]
    assert not failed, "\n".join(failed)


def require_whole(ground: Ground, place: Place) -> None:
    """Make sure that the release is complete on the remote, and that the checkout is clean and stands at it."""
    assert ground.is_complete(place), place.refs()
    assert place.git("rev-parse", "HEAD", f"v{VERSION}^{{}}") == f"{ground.commit}\n{ground.commit}"
    assert place.git("status", "--porcelain") == ""
    assert place.read("pyproject.toml").count(f'version = "{VERSION}"') == 1
    left = [path.name for path in (place.folder / "tmp").iterdir()]
    assert left == [], f"left behind: {left}"
