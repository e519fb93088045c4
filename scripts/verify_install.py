"""Prove that an artefact works where a user will install it."""

import sys

from roadworthy.arguments import option, take_given
from roadworthy.terminal import run_main
from roadworthy.verifying import verify

if __name__ == "__main__":
    sys.argv += [f"{option(name)}={value}" for name, value in (take_given() or {}).items()]
    run_main(verify.main)
