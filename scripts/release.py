"""Release a version: all of it, or nothing."""

import sys

from roadworthy.arguments import option, take_given
from roadworthy.releasing import release
from roadworthy.terminal import run_main

if __name__ == "__main__":
    given = take_given() or {}
    version = [given.pop("VERSION")] if "VERSION" in given else []
    sys.argv += [*(f"{option(key)}={value}" for key, value in given.items()), *(["--", *version] if version else [])]
    run_main(release.main)
