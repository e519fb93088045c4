"""Release a version: all of it, or nothing."""

from roadworthy.releasing import release
from roadworthy.terminal import run_main

if __name__ == "__main__":
    run_main(release.main)
