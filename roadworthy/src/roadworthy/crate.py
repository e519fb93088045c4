"""The crate of a project: which features its wheels have, and which of them turn on the stable ABI."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from roadworthy.tables import find, find_table
from roadworthy.terminal import Problem, problem

MANIFEST = "Cargo.toml"


def find_unpublished(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """Find dependencies of a Cargo.toml whose source would not be in the sdist, or could be another one tomorrow."""
    kinds = ("dependencies", "build-dependencies", "dev-dependencies")
    holders = [manifest, find(manifest, "workspace"), *find_table(manifest, "target").values()]
    tables = [find_table(holder, kind) for holder in holders for kind in kinds]
    tables += [find_table(one) for one in find_table(manifest, "patch").values()]
    for name, wanted in [each for one in tables for each in one.items()]:
        for source in ("git", "path"):
            where = find(wanted, source)
            # A crate of this repository goes along.
            if where is not None and (source == "git" or posixpath.normpath(f"./{where}").startswith("..")):
                remedy = "depend on a version of it that is published, or move the crate into this repository"
                yield Problem(f"{MANIFEST}: {name} comes from a {source}, {where}", remedy)


@dataclass(frozen=True)
class Crate:
    """What Cargo.toml says, and what pyproject.toml tells maturin of its features.

    Every fact raises ProblemsError where they say nothing that wheels can be built of.
    """

    manifest: dict[str, Any]  # the content of Cargo.toml
    maturin: dict[str, Any]  # the table [tool.maturin] of pyproject.toml
    oldest_minor: int  # of Python 3, that the package is for; remedies name it

    @cached_property
    def pyo3(self) -> dict[str, set[str]]:
        """The names that Cargo.toml has for the crate pyo3, each with the features that it always turns on.

        It may have another name, be for some targets only, and come from the workspace's table.
        """
        found: dict[str, set[str]] = {}
        shared = find_table(self.manifest, "workspace", "dependencies")
        for holder in (self.manifest, *find_table(self.manifest, "target").values()):
            for key, wanted in find_table(holder, "dependencies").items():
                asked = [wanted, shared.get(key) if find(wanted, "workspace") else None]
                if any(find(each, "package") == "pyo3" for each in asked) or key == "pyo3":
                    always = {str(feature) for each in asked for feature in find(each, "features") or ()}
                    found[key] = found.get(key, set()) | always
        return found

    @cached_property
    def features(self) -> dict[str, list[str]]:
        """Its features, each with what it turns on."""
        found = find_table(self.manifest, "features")
        return {key: list(map(str, value)) for key, value in found.items() if isinstance(value, list)}

    @cached_property
    def asked_features(self) -> list[str]:
        """The features that a wheel has: the default ones, and those that pyproject.toml asks for."""
        given = self.maturin.get("features", [])
        plain = isinstance(given, list) and all(isinstance(each, str) for each in given)
        if self.maturin.get("all-features") or not plain:
            what = "pyproject.toml has all-features in [tool.maturin], or features for some Pythons"
            remedy = f"write a plain list: features = [], and the rest into the default features of {MANIFEST}"
            raise problem(what, remedy)
        return [*([] if self.maturin.get("no-default-features") else ["default"]), *given]

    def everything_on(self, asked: Iterable[str]) -> set[str]:
        """Return features, and all that they turn on."""
        found, waiting = set[str](), list(asked)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.features.get(one, [])
        return found

    def stable_abi(self, items: Iterable[str]) -> Iterator[str]:
        """Yield PyO3's features for the stable ABI, such as `abi3-py310`, among items of features."""
        for item in items:
            owner, slash, feature = item.partition("/")
            if slash and owner.removesuffix("?") in self.pyo3 and re.match(r"abi3t?(-|$)", feature):
                yield feature

    def oldest_abi(self, asked: Iterable[str], kind: str) -> int | None:
        """Return the oldest minor version for which features ask for an ABI; PyO3 and maturin take that as well."""
        found = self.stable_abi(self.everything_on(asked))
        matches = (re.fullmatch(rf"{kind}-py3(\d+)", feature) for feature in found)
        return min((int(match[1]) for match in matches if match), default=None)

    @cached_property
    def abi3_feature(self) -> str:
        """PyO3's feature of the stable ABI that wheels are built for, such as `abi3-py310`.

        It is one that can be left out, as the free-threaded wheels have to.
        """
        remedy = f'write into {MANIFEST}: default = ["abi3"], and abi3 = ["pyo3/abi3-py3{self.oldest_minor}"]'
        if always := sorted(each for names in self.pyo3.values() for each in names if each.startswith("abi3")):
            what = f"{MANIFEST} has {', '.join(always)} at pyo3 itself, so no free-threaded wheel can be without it"
            raise problem(what, f"take it out there, and {remedy}")
        oldest = self.oldest_abi(self.asked_features, "abi3")
        if oldest is None:
            raise problem(f"{MANIFEST} has no default feature with PyO3's stable ABI from one Python on", remedy)
        return f"abi3-py3{oldest}"

    @cached_property
    def first_abi3t(self) -> str | None:
        """The first Python with a free-threaded stable ABI, as the feature `abi3t` says; None without that feature."""
        if "abi3t" not in self.features:
            return None
        oldest = self.oldest_abi(["abi3t"], "abi3t")
        if oldest is None:
            remedy = 'write abi3t = ["pyo3/abi3t-py315"], or take it out: then no such wheel is built'
            raise problem(f"{MANIFEST} has a feature abi3t without PyO3's", remedy)
        return f"3.{oldest}"

    @cached_property
    def features_without_abi3(self) -> list[str]:
        """The features that a wheel has without the stable ABI: those of all others, less what turns it on."""
        seen, kept = set[str](), list[str]()
        waiting = self.asked_features[::-1]
        while waiting:
            one = waiting.pop()
            if one in seen or any(self.stable_abi([one])):
                continue
            seen.add(one)
            if one == "default" or any(self.stable_abi(self.everything_on([one]))):
                waiting += self.features.get(one, [])[::-1]
            elif one.startswith("dep:") or "?" in one:
                what = f"{MANIFEST} turns on {one} together with the stable ABI, and cargo cannot turn it on alone"
                raise problem(what, f'give it a feature of its own, and name that: extra = ["{one}"]')
            else:
                kept.append(one)
        return kept
