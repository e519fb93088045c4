"""Lint what GitHub reads: workflows by actionlint and zizmor, and they and dependabot.yml by GitHub's schemas.

actionlint is written in Go, and built once, in `target/tools/`. Where there is no Go, or a tool is not made
for this system, that is said, and the rest is done; in CI it is an error.
"""

import os
import shutil
from pathlib import Path

import commands
from console import Problem, ProblemsError, err, run_main
from project import EXE, ROOT, venv_bin

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint"
ACTIONLINT_VERSION = "v1.7.12"
TOOLS = ROOT / "target" / "tools" / ACTIONLINT_VERSION
GITHUB = ROOT / ".github"


def find_actionlint() -> Path | None:
    """Return actionlint, built if need be; None where there is no Go."""
    built = TOOLS / f"actionlint{EXE}"
    if built.exists():
        return built
    go = shutil.which("go")
    if go is None:
        return None
    env = {**os.environ, "GOBIN": str(TOOLS), "GOFLAGS": "-mod=mod"}
    commands.run(go, "install", f"{ACTIONLINT}@{ACTIONLINT_VERSION}", cwd=ROOT, env=env)
    return built


def find_commands() -> dict[str, list[str | Path] | None]:
    """Map each tool to its command; None where it is not to be had here."""
    workflows = sorted(GITHUB.glob("workflows/*.yml"))
    check, zizmor, actionlint = venv_bin("check-jsonschema"), venv_bin("zizmor"), find_actionlint()
    return {
        "actionlint": [actionlint, *workflows] if actionlint else None,
        "zizmor": [zizmor, "--offline", "--pedantic", "--quiet", GITHUB] if zizmor.exists() else None,
        "GitHub's schema of workflows": [check, "--builtin-schema=vendor.github-workflows", *workflows],
        "GitHub's schema of dependabot.yml": [check, "--builtin-schema=vendor.dependabot", GITHUB / "dependabot.yml"],
    }


def lint() -> list[Problem]:
    """Run everything, and return what was found."""
    # shellcheck, which actionlint calls for each `run:`, comes with the tools.
    path = os.pathsep.join([str(venv_bin("python").parent), os.environ.get("PATH", "")])
    problems = []
    for name, command in find_commands().items():
        if command is None:
            what = f"{name} is not to be had here"
            remedy = "install Go, from which it is built" if name == "actionlint" else "lint on Linux or macOS"
            if os.environ.get("CI"):
                problems.append(Problem(what, remedy))
            err.print(f"skipped: {what}")
            continue
        done = commands.run(*command, cwd=ROOT, env={**os.environ, "PATH": path, "NO_COLOR": "1"}, check=False)
        if done.returncode:
            err.print((done.stdout + done.stderr).rstrip())
            problems.append(Problem(f"{name} has found something", "it stands above"))
    return problems


def main() -> None:
    """Lint, and end with exit code 1 if anything was found."""
    if problems := lint():
        raise ProblemsError(problems)


if __name__ == "__main__":
    run_main(main)
