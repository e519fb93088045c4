"""CI.yml asks GitHub's machines for nothing that they do not have, as far as their published lists say.

Read in actions/python-versions (versions-manifest.json of 2026-08-12) and actions/runner-images (the lists of
2026-07-27 to 2026-08-18, and the scripts that install): whoever takes another machine or Python looks there again.
"""

import pytest

from helpers import PROJECT
from workshop.workflows.pipeline import RUNNERS, STARTED, Pipeline

CI = Pipeline.of(PROJECT)
# 3.15 and 3.15t were release candidates; without `-dev`, setup-python takes them since they are final.
EVERYWHERE = {"3.11", "3.12", "3.13", "3.14", "3.14t", "3.15", "3.15t"}
PYTHONS = {runner: EVERYWHERE | {"3.10"} for runner in RUNNERS} | {"windows-11-arm": EVERYWHERE}
# Not in the manifest that was read: it is there with its first alpha, and the row may fail.
COMING = "3.16-dev"
# In the lists, or made by the scripts of the images: make on Windows is mingw's, copied under that name.
LINUX = {"docker", "gh", "sha256sum"}
TOOLS = {runner: {"make", "rustup", "test"} | (LINUX if "ubuntu" in runner else set()) for runner in RUNNERS}
NEEDED = {"make github-release": "gh", "make build": "rustup", "make test": "rustup", "sha256sum": "sha256sum"}


@pytest.mark.parametrize("name", STARTED)
def test_each_row_finds_its_pythons_and_its_tools(name: str) -> None:
    for job, row in CI.all_rows(STARTED[name]):
        for step in row.steps:
            if step.uses.startswith("actions/setup-python@"):
                asked = set(step.inputs["python-version"].split()) - ({COMING} if row.continue_on_error else set())
                assert asked <= PYTHONS[row.runs_on], (job, row.name)
            needed = {tool for command, tool in NEEDED.items() if step.run.startswith(command)}
            needed |= {"docker"} if "@" in step.env.get("WHEELS", "") else set()
            needed |= {step.run.split()[0]} - {"uv"} if step.run else set()
            assert needed <= TOOLS[row.runs_on], (job, row.name, step.run)
