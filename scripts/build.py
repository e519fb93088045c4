"""Build the sdist, and from it this machine's wheels, into a new dist/."""

from roadworthy.building import build
from roadworthy.terminal import run_main

if __name__ == "__main__":
    run_main(build.main)
