"""Takes the place of `gh`: what it answers is as its manual says, and what it keeps is a file of JSON."""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

START: dict[str, Any] = {
    # What GitHub has.
    "tags": [],
    "releases": {},
    # All command lines, in their order.
    "calls": [],
    # The command that is killed the next time, such as "release create"; and the one that GitHub does not answer.
    "dies": "",
    "offline": "",
}
FIELDS = {"assets", "isDraft", "isPrerelease", "name", "tagName", "url"}


def fail(text: str, code: int = 1) -> NoReturn:
    """Complain, and end."""
    sys.stderr.write(f"{text}\n")
    sys.exit(code)


class Parser(argparse.ArgumentParser):
    """Says no to an unknown option as gh does."""

    def error(self, message: str) -> NoReturn:
        """Complain, and end."""
        fail(f"unknown flag: {message}")


def parser_of(command: str) -> Parser:
    """Return the parser of a command's options, those that are used here."""
    parser = Parser(allow_abbrev=False, add_help=False)
    flags = {"release create": ("draft", "prerelease", "latest", "verify-tag"), "release delete": ("yes",)}
    flags["release edit"] = ("draft", "prerelease", "latest")
    texts = {"release create": ("title", "notes-file"), "release view": ("json",)}
    for flag in flags.get(command, ()):
        parser.add_argument(f"--{flag}", nargs="?", const="true", choices=["true", "false"])
    for text in texts.get(command, ()):
        parser.add_argument(f"--{text}")
    parser.add_argument("words", nargs="*")
    return parser


@dataclass
class GitHub:
    """What GitHub has, and what one command does to it."""

    state: dict[str, Any]
    words: list[str]
    options: dict[str, str | None]

    def release(self) -> dict[str, Any]:
        """Return the release of the tag."""
        found: dict[str, Any] | None = self.state["releases"].get(self.words[0])
        return found or fail("release not found")

    def release_view(self) -> None:
        """Show the fields of a release that are asked for."""
        fields = (self.options["json"] or "").split(",")
        if unknown := set(fields) - FIELDS:
            fail(f"Unknown JSON field: {sorted(unknown)}")
        found = self.release()
        print(json.dumps({field: found[field] for field in fields}))

    def release_create(self) -> None:
        """Make a release of a tag, with its files."""
        tag, *paths = self.words
        if self.options["verify-tag"] == "true" and tag not in self.state["tags"]:
            fail(f"tag {tag} doesn't exist in the repo, aborting due to --verify-tag flag")
        if tag in self.state["releases"]:
            fail("HTTP 422: Validation Failed\nRelease.tag_name already exists")
        made: dict[str, Any] = {
            "isDraft": self.options["draft"] == "true",
            "isPrerelease": self.options["prerelease"] == "true",
            "name": self.options["title"],
            "notes": Path(str(self.options["notes-file"])).read_text(encoding="utf-8"),
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
                fail("HTTP 502: the upload was cut off")

    def release_edit(self) -> None:
        """Make a draft public."""
        found = self.release()
        if self.state["dies"] == "release edit":
            fail("HTTP 502: Bad Gateway")
        for option, field in {"draft": "isDraft", "prerelease": "isPrerelease"}.items():
            if self.options[option] is not None:
                found[field] = self.options[option] == "true"
        found["latest"] = self.options["latest"]

    def release_delete(self) -> None:
        """Delete a release; its tag stays."""
        self.release()
        if self.options["yes"] != "true":
            fail("nobody is there to be asked")
        del self.state["releases"][self.words[0]]


def main() -> None:
    """Do one command, and keep what has become of GitHub."""
    path, command = Path(sys.argv[1]), " ".join(sys.argv[2:4])
    state = json.loads(path.read_text(encoding="utf-8"))
    state["calls"].append(sys.argv[2:])
    options = vars(parser_of(command).parse_intermixed_args(sys.argv[4:]))
    options = {name.replace("_", "-"): value for name, value in options.items()}
    github = GitHub(state, options.pop("words"), options)
    try:
        if state["offline"] == command:
            fail("error connecting to api.example.invalid\ncheck your internet connection")
        getattr(github, command.replace(" ", "_"))()
    finally:
        if state["dies"] == command:
            state["dies"] = ""
        path.write_text(json.dumps(state), encoding="utf-8")


if __name__ == "__main__":
    main()
