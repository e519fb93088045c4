"""What a command is given: by make, through the environment, or on its own command line.

make says in `GIVEN` which variables stand on its command line, and hands each value on under its own name, as it was
typed: nothing is spliced into a shell's command. A usage error speaks the language in which the command was called.
"""

import argparse
import os
import re
import sys
from typing import Any, NoReturn

from roadworthy import deliver


def take_given() -> dict[str, str] | None:
    """Return what make hands on, by name, and take it out of the environment of what is started; None without make."""
    names = os.environ.pop("GIVEN", None)
    return None if names is None else {name: os.environ.pop(name, "") for name in names.split()}


def take_package(command: str, words: list[str]) -> str:
    """Take the folder of the package that a command is about out of what make hands on, or out of `words`; "" is none.

    Raises:
        SystemExit: It is no folder of a package; the exit code is 2.
    """
    given = os.environ.pop("GIVEN", None)
    names = (given or "").split()
    if "PACKAGE" in names:
        os.environ["GIVEN"] = "PACKAGE"
    options = [word for word in words if word.startswith("--package=")]
    words[:] = [word for word in words if word not in options]
    found = Parser(command, "").take_package().read(options)
    if given is not None:
        os.environ["GIVEN"] = " ".join(name for name in names if name != "PACKAGE")
    return str(found.get("PACKAGE", ""))


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
        self.options, self.switches = set[str](), set[str]()
        self.first = ""
        self.by_make = False

    def take(self, name: str, about: str, *, first: bool = False, required: bool = False, **options: Any) -> "Parser":  # noqa: ANN401
        """Take a variable, with further options of argparse's.

        On a command line the value of the `first` may stand alone, as in `release.py 0.2.2`; with `nargs="*"`, any
        number of them. One that is `required` has to be given, and not to be empty.
        """
        self.names[name] = required
        if first:
            self.first = name
            self.add_argument("word", help=about, **{"nargs": "?", "metavar": name, **options})
            about = argparse.SUPPRESS
        self.options.add(option(name))
        if option(name) not in self.switches:
            options = {"metavar": name, **options}
        self.add_argument(option(name), dest=name, help=about, **{"default": argparse.SUPPRESS, **options})
        return self

    def switch(self, name: str, about: str) -> "Parser":
        """Take a variable whose only value is 1; an option may leave it out."""
        self.switches.add(option(name))
        return self.take(name, about, action="store_const", const="1")

    def take_package(self) -> "Parser":
        """Take PACKAGE, the folder of a package in the one in which this is started."""
        return self.take("PACKAGE", "the folder of another package; default: the repository's own", type=package)

    def read(self, words: list[str] | None = None) -> dict[str, Any]:
        """Return what was given by name; default: on this process's command line, or by make."""
        words = list(sys.argv[1:] if words is None else words)
        given = take_given()
        self.by_make = given is not None
        for name, value in (given or {}).items():
            if name not in self.names:
                self.error(f"unrecognized arguments: {name}")
            words.append(f"{option(name)}={value}")
        # Behind -- there are no options.
        end = words.index("--") if "--" in words else len(words)
        found = vars(self.parse_args([*map(self.bare, words[:end]), *words[end:]]))
        word = found.pop("word", None)
        if word not in (None, []):
            if self.first in found:
                self.error(f"{self.first} is given twice")
            found[self.first] = word
        if missing := [name for name, required in self.names.items() if required and not found.get(name)]:
            self.error(f"{self.prog} needs {', '.join(missing)}")
        return found

    def bare(self, word: str) -> str:
        """Return a word of the command line, a switch without its value, or refuse any other one than 1."""
        name, given, value = word.partition("=")
        if name in self.switches and given and value != "1":
            self.error(f"argument {name}: {value!r} is not 1, its only value")
        return name if name in self.switches else word

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, and one line."""
        if self.by_make:
            named = re.compile(r"(?<!['\"\w])--[a-z][a-z-]*")
            message = named.sub(lambda found: found[0][2:].upper().replace("-", "_"), message)
            message = message.replace("unrecognized arguments:", f"make {self.prog} takes no")
            message = message.replace(f"{self.prog} needs", f"make {self.prog} needs")
        line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)
        options = set[str]() if self.by_make else self.options - {option(self.first)}
        takes = ", ".join(option(name) if option(name) in options else name for name in self.names)
        deliver("stderr", f"usage: {line}; it takes {takes or 'nothing'}\n")
        sys.exit(2)

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401, ARG002 - argparse's
        """Print what the command takes; as for every result, exit code 1 where there is no room for it."""
        from roadworthy.terminal import out, run_main  # noqa: PLC0415 - not for a refusal

        run_main(lambda: out.write(self.format_help()))


def package(text: str) -> str:
    """Return the folder of a package, or refuse what is none."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text) or not os.path.isfile(f"{text}/pyproject.toml"):  # noqa: PTH113
        raise argparse.ArgumentTypeError(f"{text!r} is no folder here with a pyproject.toml")
    return text
