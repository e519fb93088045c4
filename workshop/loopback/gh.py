"""Takes the place of `gh`: what it answers is as its manual says, and what it keeps is a file of JSON."""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

# What GitHub has; all command lines, in their order; the command that is killed the next time, such as
# "release create"; and the one that GitHub does not answer.
START: dict[str, Any] = {"tags": [], "releases": {}, "calls": [], "dies": "", "offline": ""}
# The options of each command that are used here: flags, and those that take a text.
FLAGS = {
    "release create": ("draft", "prerelease", "latest", "verify-tag"),
    "release edit": ("draft", "prerelease", "latest"),
    "release delete": ("yes",),
}
TEXTS = {"release create": ("title", "notes-file"), "release view": ("json",)}
FIELDS = {"assets", "isDraft", "isPrerelease", "name", "tagName", "url"}


class Parser(argparse.ArgumentParser):
    """Says no to an unknown option as gh does."""

    def error(self, message: str) -> NoReturn:
        """Complain, and end."""
        sys.exit(f"unknown flag: {message}")


def read_options(command: str, words: list[str]) -> dict[str, Any]:
    """Return a command's options by their names, with `_` for `-`, and its other words as `words`."""
    parser = Parser(allow_abbrev=False, add_help=False)
    for flag in FLAGS.get(command, ()):
        parser.add_argument(f"--{flag}", nargs="?", const="true", choices=["true", "false"])
    for text in TEXTS.get(command, ()):
        parser.add_argument(f"--{text}")
    parser.add_argument("words", nargs="*")
    return vars(parser.parse_intermixed_args(words))


@dataclass
class GitHub:
    """What GitHub has, and what one command does to it."""

    state: dict[str, Any]
    words: list[str]
    options: dict[str, str | None]

    def release(self) -> dict[str, Any]:
        """Return the release of the tag."""
        found: dict[str, Any] | None = self.state["releases"].get(self.words[0])
        return found or sys.exit("release not found")

    def release_view(self) -> None:
        """Show the fields of a release that are asked for."""
        fields = (self.options["json"] or "").split(",")
        if unknown := set(fields) - FIELDS:
            sys.exit(f"Unknown JSON field: {sorted(unknown)}")
        found = self.release()
        print(json.dumps({field: found[field] for field in fields}))

    def release_create(self) -> None:
        """Make a release of a tag, with its files."""
        tag, *paths = self.words
        if self.options["verify_tag"] == "true" and tag not in self.state["tags"]:
            sys.exit(f"tag {tag} doesn't exist in the repo, aborting due to --verify-tag flag")
        if tag in self.state["releases"]:
            sys.exit("HTTP 422: Validation Failed\nRelease.tag_name already exists")
        made: dict[str, Any] = {
            "isDraft": self.options["draft"] == "true",
            "isPrerelease": self.options["prerelease"] == "true",
            "name": self.options["title"],
            "notes": Path(str(self.options["notes_file"])).read_text(encoding="utf-8"),
            "latest": self.options["latest"],
            "tagName": tag,
            "url": f"https://example.invalid/releases/{tag}",
            "assets": [],
        }
        self.state["releases"][tag] = made
        for path in map(Path, paths):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            made["assets"].append({"name": path.name, "digest": f"sha256:{digest}"})
            if self.state["dies"] == "release create":
                sys.exit("HTTP 502: the upload was cut off")

    def release_edit(self) -> None:
        """Make a draft public."""
        found = self.release()
        if self.state["dies"] == "release edit":
            sys.exit("HTTP 502: Bad Gateway")
        for option, field in {"draft": "isDraft", "prerelease": "isPrerelease"}.items():
            if self.options[option] is not None:
                found[field] = self.options[option] == "true"
        found["latest"] = self.options["latest"]

    def release_delete(self) -> None:
        """Delete a release; its tag stays."""
        self.release()
        if self.options["yes"] != "true":
            sys.exit("nobody is there to be asked")
        del self.state["releases"][self.words[0]]


def main() -> None:
    """Do one command, and keep what has become of GitHub."""
    path, command = Path(sys.argv[1]), " ".join(sys.argv[2:4])
    state = json.loads(path.read_text(encoding="utf-8"))
    state["calls"].append(sys.argv[2:])
    options = read_options(command, sys.argv[4:])
    github = GitHub(state, options.pop("words"), options)
    try:
        if state["offline"] == command:
            sys.exit("error connecting to api.example.invalid\ncheck your internet connection")
        getattr(github, command.replace(" ", "_"))()
    finally:
        if state["dies"] == command:
            state["dies"] = ""
        path.write_text(json.dumps(state), encoding="utf-8")


if __name__ == "__main__":
    main()
