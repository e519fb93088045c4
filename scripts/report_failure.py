"""Open an issue about a version that is published and does not install: the failing rows, and what to do."""

import argparse
import json
import os

from console import out, run_main
from github_release import gh
from releasing.aftermath import repair


def failing_jobs(run: str) -> list[tuple[str, str]]:
    """Return the name and the address of each job of a run that failed."""
    # The issue is what counts: without the rows it is opened as well.
    printed = gh("run", "view", run, "--json=jobs", check=False).stdout or "{}"
    bad = {"failure", "timed_out", "cancelled", "startup_failure"}
    return [(job["name"], job["url"]) for job in json.loads(printed).get("jobs", []) if job["conclusion"] in bad]


def body(version: str, jobs: list[tuple[str, str]], address: str) -> str:
    """Return the issue's text."""
    rows = [f"- [{name}]({url})" for name, url in jobs] or ["- none is known; see the run"]
    steps = [f"{number}. {step}" for number, step in enumerate(repair(version), start=1)]
    return "\n".join(
        [
            f"{version} is on PyPI, and does not install from there, or is not what was built. [The run]({address}):",
            "",
            *rows,
            "",
            "Is it the index, or the network? Then `gh run rerun --failed` proves it again, and releases it on GitHub.",
            "If it is the release:",
            "",
            *steps,
            "",
        ]
    )


def main() -> None:
    """Open the issue, or add to the one that is open."""
    parser = argparse.ArgumentParser(description="Open an issue about a published version that does not install.")
    parser.add_argument("version", metavar="VERSION")
    version = parser.parse_args().version
    given = os.environ.get
    run, repository = given("GITHUB_RUN_ID", ""), given("GITHUB_REPOSITORY", "")
    text = body(version, failing_jobs(run), f"{given('GITHUB_SERVER_URL', '')}/{repository}/actions/runs/{run}")
    title = f"{version} is published and does not install"
    listed = json.loads(gh("issue", "list", f"--search={title} in:title", "--json=number,title").stdout)
    same = [str(issue["number"]) for issue in listed if issue["title"] == title]
    if same:
        gh("issue", "comment", same[0], f"--body={text}")
    else:
        gh("issue", "create", f"--title={title}", f"--body={text}")
    out.print(text)


if __name__ == "__main__":
    run_main(main)
