"""What a command is given: by make, through the environment, or on its own command line.

make says in `GIVEN` which variables stand on its command line, and hands each value on under its own name, as it was
typed: nothing is spliced into a shell's command. A usage error speaks the language in which the command was called.
"""

import argparse
import os
import re
import sys
from typing import Any, NoReturn

from roadworthy.streams import deliver


def take_given() -> dict[str, str] | None:
    """Return what make hands on, by name, and take it out of the environment of what is started; None without make."""
    names = os.environ.pop("GIVEN", None)
    return None if names is None else {name: os.environ.pop(name, "") for name in names.split()}


def option(name: str) -> str:
    """Return the option for a variable: `--dry-run` for DRY_RUN."""
    return "--" + name.lower().replace("_", "-")


class Parser(argparse.ArgumentParser):
    """A parser of what one command takes, each under the name that make has for it; exit code 2 for anything else.

    `Parser("release", "Release a version.").take("VERSION", "such as 0.2.2").read()` returns a mapping of the names
    that were given to their values.
    """

    def __init__(self, command: str, about: str) -> None:
        """Prepare for a command, which is a target of make."""
        super().__init__(prog=command, description=about, allow_abbrev=False)
        self.names: dict[str, bool] = {}  # whether each has to be given
        self.first = ""
        self.by_make = False

    def take(self, name: str, about: str, *, first: bool = False, required: bool = False, **options: Any) -> "Parser":  # noqa: ANN401
        """Take a variable, with further options of argparse's.

        On a command line the value of the `first` may stand alone, as in `release.py 0.2.2`. One that is `required`
        has to be given, and not to be empty.
        """
        self.names[name] = required
        if first:
            self.first = name
            self.add_argument("word", nargs="?", help=argparse.SUPPRESS, **options)
        options = {"metavar": name, "default": argparse.SUPPRESS, **options}
        self.add_argument(option(name), dest=name, help=about, **options)
        return self

    def switch(self, name: str, about: str) -> "Parser":
        """Take a variable whose only value is 1."""
        return self.take(name, about, nargs="?", const="1", type=one, metavar="1")

    def read(self, words: list[str] | None = None) -> dict[str, Any]:
        """Return what was given by name; default: on this process's command line, or by make."""
        words = list(sys.argv[1:] if words is None else words)
        given = take_given()
        self.by_make = given is not None
        for name, value in (given or {}).items():
            if name not in self.names:
                self.error(f"unrecognized arguments: {name}")
            words.append(f"{option(name)}={value}")
        found = vars(self.parse_args(words))
        word = found.pop("word", None)
        if word is not None:
            if self.first in found:
                self.error(f"{self.first} is given twice")
            found[self.first] = word
        if missing := [name for name, required in self.names.items() if required and not found.get(name)]:
            self.error(f"{self.prog} needs {', '.join(missing)}")
        return found

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, and one line."""
        if self.by_make:
            named = re.compile(r"(?<!['\"\w])--[a-z][a-z-]*")
            message = named.sub(lambda found: found[0][2:].upper().replace("-", "_"), message)
            message = message.replace("unrecognized arguments:", f"make {self.prog} takes no")
            message = message.replace(f"{self.prog} needs", f"make {self.prog} needs")
        line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)
        deliver("stderr", f"usage: {line}; it takes {', '.join(self.names) or 'nothing'}\n")
        sys.exit(2)

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401, ARG002 - argparse's
        """Print what the command takes; as for every result, exit code 1 where there is no room for it."""
        from roadworthy.terminal import out, run_main  # noqa: PLC0415 - not for a refusal

        run_main(lambda: out.write(self.format_help()))


def one(text: str) -> str:
    """Return the value of a switch, or refuse any other one."""
    if text != "1":
        raise argparse.ArgumentTypeError(f"{text!r} is not 1, its only value")
    return text
