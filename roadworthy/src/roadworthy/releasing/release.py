"""Release a version: prepare the commit and the tag in a throw-away clone, prove them, and push both at once.

Until that push nothing is changed but a folder that is thrown away; after it the release is complete. So whatever
ends this program, the same command finishes the release, or says that it is released.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import NoReturn

from rich.prompt import Confirm

from roadworthy.exclusive import exclusive
from roadworthy.project import HERE
from roadworthy.releasing import push
from roadworthy.releasing.checks import find_problems, web_address
from roadworthy.releasing.github import Forge
from roadworthy.releasing.plan import Plan, prepare, prove
from roadworthy.releasing.state import Request, Situation, read_situation
from roadworthy.releasing.version import Release
from roadworthy.terminal import Problem, ProblemsError, err, out, printable, problem, step


def look(request: Request, folder: Path, *, asks: bool) -> tuple[Situation, str | None]:
    """Return the situation, and the release's commit if it is out already; without problems, or not at all.

    Raises:
        ProblemsError: There are problems.
    """
    with step("look at the checkout and at the remote"):
        situation = read_situation(request, folder)
        if released := push.is_released(situation):
            return situation, released
        problems, notes = ([], []) if is_waiting(situation) else find_problems(situation)
        if asks and not sys.stdin.isatty():
            problems.append(Problem("there is no terminal to ask at before the push", "add YES=1, or DRY_RUN=1"))
    for note in notes:
        err.print(f"note: {note}")
    if problems:
        raise ProblemsError(problems)
    return situation, None


def is_waiting(situation: Situation) -> bool:
    """Say whether a pull request of this release is there, and not merged as far as an up-to-date checkout shows."""
    request, there = situation.request, f"refs/heads/{situation.request.release.branch}" in situation.remote.refs
    is_current = situation.checkout.head == situation.remote_head
    return request.via_pr and there and is_current and not situation.merged


def print_plan(plan: Plan) -> None:
    """Print everything that is going to happen, on stdout, without any colour: it may be compared."""
    release, parent = plan.release, plan.parent[:10]
    artefacts = {
        "built and tested here, before the push": plan.built_here,
        f"built by {HERE.workflow_file}, after the push of the tag": plan.built_by_ci,
    }
    after = (
        "CI publishes; the tag is never moved. What PyPI has taken can be yanked, and never be replaced:\n"
        "a mistake is repaired by the next version"
        if plan.tag
        else f"nothing is published; to give up: git push {plan.remote} --delete {release.branch}"
    )
    parts = {
        f"release {release.text} of {plan.branch} on {plan.remote}": f"{plan.message} ({plan.commit[:10]} on {parent})",
        "changelog": plan.section,
        "changes": plan.diff or "none: the commit is there already",
        f"tag {release.tag}, annotated": plan.annotation if plan.tag else "none yet: it follows after the merge",
        f"pushed to {plan.remote}, all or nothing": "\n".join(f"{ref}  {what[:10]}" for ref, what in plan.refs.items()),
        **{title: "\n".join(names) for title, names in artefacts.items()},
        "until the push": "nothing has happened: there is nothing to undo",
        "after the push": after,
    }
    for title, text in parts.items():
        # As it is: a console would turn tabs into spaces, and `:rocket:` into a picture.
        print(f"{title}:\n{indent(text.rstrip())}\n")


def indent(text: str) -> str:
    """Return the text with two spaces before each line."""
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


def confirm(plan: Plan, *, yes: bool) -> None:
    """Ask on the terminal, unless the answer stands in the command.

    Raises:
        ProblemsError: The answer was no.
    """
    question = f"Push {', '.join(plan.refs)} to {plan.remote}?"
    if not yes and not Confirm.ask(question, console=err.console, default=False):
        raise problem("not confirmed, so nothing was pushed", "run the same command again whenever you like")


def explain(situation: Situation, plan: Plan) -> None:
    """Say what happens now, and what to do if it does not."""
    release, forge = plan.release, Forge.of(web_address(situation))
    if not plan.tag:
        if forge:
            out.print(f"open the pull request: {forge.compare(plan.branch, release.branch)}")
        out.print(f"when {release.branch} is merged into {plan.branch}, pull, and run the same command again: it tags")
        return
    out.print(f"{release.text} is released: {release.tag} and {plan.branch} are on {plan.remote}")
    asked = f"--workflow={HERE.workflow_file} --branch={release.tag} --limit=1 --json=databaseId --jq=.[].databaseId"
    if forge:
        out.print(f"CI builds and publishes it: {forge.runs(release.tag)}")
    out.print(f"watch it:                   gh run watch --exit-status $(gh run list {asked})")
    out.print(f"when it is published:       make verify VERSION={release.text}")
    out.print("if CI fails:                gh run rerun --failed, which sends the same bytes; if the fault is in the")
    out.print("                            code, repair it and release the next version: the tag stays where it is")


def release(request: Request, folder: Path, *, dry_run: bool, yes: bool) -> None:
    """Look, plan, prove, ask, push, and let the checkout follow."""
    situation, commit = look(request, folder, asks=not (dry_run or yes))
    version = request.release
    if commit:
        if not dry_run:
            push.follow(situation, commit)
        out.print(f"{version.text} is already released: {version.tag} on {request.remote} is {commit[:10]}")
        return
    if is_waiting(situation):
        out.print(f"{version.branch} waits to be merged into {situation.branch}; then run the same command again")
        return
    with step("write the release's commit and tag into a throw-away clone"):
        plan = prepare(situation)
    print_plan(plan)
    if dry_run:
        return
    prove(situation)
    confirm(plan, yes=yes)
    with step(f"push to {plan.remote}"):
        push.push(situation.clone, plan)
    if plan.tag:
        push.follow(situation, plan.commit)
    explain(situation, plan)


def parse_version(text: str) -> Release:
    """Read the version from the command line."""
    try:
        return Release.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_switch(text: str) -> str:
    """Read the value of a switch: the only one is 1."""
    if text == "1":
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not 1, the only value; write the version in front of it")


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        err.print(f"usage: {printable(message)}; see: python scripts/release.py --help")
        sys.exit(2)


def parse_arguments() -> argparse.Namespace:
    """Read the command line; nothing else is read before all of it is understood."""
    parser = Parser(description="Release a version of this package.", allow_abbrev=False)
    switch = {"nargs": "?", "const": "1", "type": parse_switch, "metavar": "1"}
    parser.add_argument("version", metavar="VERSION", type=parse_version, help="0.2.2, 0.3.0-alpha1, -beta2, -rc1")
    parser.add_argument("--dry-run", **switch, help="print the plan, and do nothing else")  # type: ignore[arg-type]
    parser.add_argument("--yes", **switch, help="push without a question")  # type: ignore[arg-type]
    parser.add_argument("--remote", default="origin", help="where to push; default: origin")
    parser.add_argument("--branch", help="a maintenance line, such as 0.1.x; default: the remote's default branch")
    parser.add_argument("--via", choices=["pr"], help="pr: by a pull request, for a branch that takes no push")
    arguments = parser.parse_args()
    for name in ("remote", "branch"):
        value = getattr(arguments, name)
        if value is not None and not is_plain(value):
            parser.error(f"{value!r} is no name of a {name}")
    return arguments


def is_plain(name: str) -> bool:
    """Say whether a name can be a branch's or a remote's, and is no option, address or pattern."""
    parts = name.split("/")
    special = name == "HEAD" or parts[0] == "refs" or ".." in name
    plain = all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", part) for part in parts)
    return plain and not special and not any(part.endswith((".", ".lock")) for part in parts)


def main() -> None:
    """Read the command line, and release."""
    arguments = parse_arguments()
    request = Request(arguments.version, arguments.remote, arguments.branch, via_pr=arguments.via == "pr")
    with exclusive(HERE.root, "release") as folder:
        release(request, folder, dry_run=bool(arguments.dry_run), yes=bool(arguments.yes))
