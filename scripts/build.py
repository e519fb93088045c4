"""Build the sdist, and from it this machine's wheels, into a new dist/."""

import sys

from roadworthy.arguments import option, take_given
from roadworthy.building import build
from roadworthy.terminal import run_main

if __name__ == "__main__":
    sys.argv += [f"{option(name)}={value}" for name, value in (take_given() or {}).items()]
    run_main(build.main)
