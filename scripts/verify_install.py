"""Prove that an artefact works where a user will install it."""

from roadworthy.terminal import run_main
from roadworthy.verifying import verify

if __name__ == "__main__":
    run_main(verify.main)
