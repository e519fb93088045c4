"""What a user of a package has: exactly the wheel, which is what the sdist promises, and what it requires."""

import re
import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from broken import Files, make_wheel, repack_sdist, repack_wheel
from helpers import PROJECT
from roadworthy.pythons import Python
from roadworthy.terminal import ProblemsError
from roadworthy.verifying.artefacts import Artefacts, Source
from roadworthy.verifying.jobs import Job

THIS = Python(sys.version_info[:3], free_threaded=False, path=Path(sys.executable).resolve())
PAGE = SimpleNamespace(**runpy.run_path(str(PROJECT.root / "scripts" / "verify_install.py")))
STEM = f"ferrous_wheel-{PROJECT.version}"
INFO, DATA = f"{STEM}.dist-info", f"{STEM}.data"
SCRIPTS = "[project.scripts]\nturbo = 'ferrous_wheel.extra:main'\n"
ENTRY = {f"{INFO}/entry_points.txt": "[console_scripts]\nturbo = ferrous_wheel.extra:main\n"}
MAIN = {"ferrous_wheel/extra.py": "def main() -> None: pass\n"}


@dataclass(frozen=True)
class Case:
    """What is done to a good wheel and its sdist, and what is said of that.

    Attributes:
        says: What is said; "" for nothing.
        wheel: Files of the wheel alone; None takes one out.
        both: Files of the package, in both.
        fields: Lines of the metadata, in both.
        wheel_fields: The same, of the wheel alone.
        pyproject: What is added to the sdist's pyproject.toml, at its end.
        maturin: The same, in the table [tool.maturin].
        sdist: Files of the sdist alone.
        oldest: Whether the Python's own pip installs it, with the lowest versions of what it requires.
    """

    says: str = ""
    wheel: Mapping[str, str | None] = field(default_factory=dict)
    both: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[str] = ()
    wheel_fields: Sequence[str] = ()
    pyproject: str = ""
    maturin: str = ""
    sdist: Mapping[str, str | None] = field(default_factory=dict)
    oldest: bool = False

    def make(self, wheel: Path, sdist: Path, folder: Path) -> Path:
        """Put both into a folder that is new."""

        def change(files: Files, changes: Mapping[str, str | None], metadata: str, fields: Sequence[str]) -> None:
            for name, text in changes.items():
                files.pop(name, None)
                if text is not None:
                    files[name] = text.encode()
            if metadata in files:
                files[metadata] = "".join(f"{line}\n" for line in fields).encode() + files[metadata]

        top = sdist.name.removesuffix(".tar.gz")
        inside = {f"{top}/python/{name}": text for name, text in self.both.items()}
        rest = {f"{top}/{name}": text for name, text in self.sdist.items()}

        def change_sdist(files: Files) -> None:
            before, table, after = files[f"{top}/pyproject.toml"].partition(b"\n[tool.maturin]\n")
            files[f"{top}/pyproject.toml"] = (
                before + table + f"{self.maturin}".encode() + after + self.pyproject.encode()
            )
            change(files, {**inside, **rest}, f"{top}/PKG-INFO", self.fields)

        folder.mkdir()
        fields = [*self.fields, *self.wheel_fields]
        repack_wheel(
            wheel, folder, lambda files: change(files, {**self.both, **self.wheel}, f"{INFO}/METADATA", fields)
        )
        repack_sdist(sdist, folder, change_sdist)
        return folder


def module(text: str) -> dict[str, str]:
    return {"ferrous_wheel/extra.py": text}


LEFT = "the installation holds {}, which is not in the source"
BROKEN = "import ferrous_wheel.extra fails: "
OTHER = "{} is installed with another content than the sdist's"
OUTSIDE = "{} is installed outside the folder of packages, and nothing declares it"
INIT = "ferrous_wheel/__init__.py"
FOOLING = {
    "an edited module": Case(OTHER.format(INIT), {INIT: "x = 1\n"}),
    "an edited stub": Case(OTHER.format("ferrous_wheel/_core.pyi"), {"ferrous_wheel/_core.pyi": "x: int\n"}),
    "an edited marker of types": Case(OTHER.format("ferrous_wheel/py.typed"), {"ferrous_wheel/py.typed": "partial\n"}),
    "no stub": Case("the installation lacks ferrous_wheel/_core.pyi", {"ferrous_wheel/_core.pyi": None}),
    "a data file that differs": Case(
        OTHER.format("ferrous_wheel/words.txt"), {"ferrous_wheel/words.txt": "b"}, {"ferrous_wheel/words.txt": "a"}
    ),
    "a data file that is missing": Case(
        "the installation lacks ferrous_wheel/words.txt",
        {"ferrous_wheel/words.txt": None},
        {"ferrous_wheel/words.txt": ""},
    ),
    "a file called as an installer's": Case(LEFT.format("ferrous_wheel/INSTALLER"), {"ferrous_wheel/INSTALLER": "x"}),
    "stale bytecode": Case("installed is not what", {"ferrous_wheel/__pycache__/x.pyc": "x"}),
    "a stale test": Case(LEFT.format("tests/test_x.py"), {"tests/test_x.py": ""}),
    "a path file": Case(LEFT.format("evil.pth"), {"evil.pth": "import os\n"}),
    "a path file in another place": Case(LEFT.format("evil.pth"), {f"{DATA}/purelib/evil.pth": "import os\n"}),
    "code at every start": Case(LEFT.format("usercustomize.py"), {"usercustomize.py": ""}),
    "a module of another's name": Case(LEFT.format("packaging/version.py"), {"packaging/version.py": ""}),
    "a script of another's name": Case(OUTSIDE.format("bin/pip"), {f"{DATA}/scripts/pip": "#!python\n"}),
    "a file of the system's": Case(OUTSIDE.format("etc/x.conf"), {f"{DATA}/data/etc/x.conf": ""}),
    "a header": Case("x.h is installed outside the folder of packages", {f"{DATA}/headers/x.h": ""}),
    "an entry point of the wheel alone": Case(
        "the entry point turbo = ferrous_wheel.extra:main in console_scripts is only installed", ENTRY, MAIN
    ),
    "an entry point that the wheel has not": Case(
        "the entry point turbo = ferrous_wheel.extra:main in console_scripts is only in the sdist",
        both=MAIN,
        pyproject=SCRIPTS,
    ),
    "an entry point to no module": Case(
        "the entry point turbo = ferrous_wheel.extra:main fails: ModuleNotFoundError", ENTRY, pyproject=SCRIPTS
    ),
    "an entry point to no function": Case(
        "the entry point turbo = ferrous_wheel.extra:main fails: AttributeError", ENTRY, module(""), pyproject=SCRIPTS
    ),
    "a requirement of the wheel alone": Case(
        "the metadata's requires_dist is ['frob-dep'], and the sdist's is None",
        wheel_fields=["Requires-Dist: frob-dep"],
    ),
    "a summary of the wheel alone": Case("the metadata's summary is ['Other', ", wheel_fields=["Summary: Other"]),
    "another Python in the wheel alone": Case(
        "the metadata's requires_python", wheel_fields=["Requires-Python: >=3.8"]
    ),
    "an extra of the wheel alone": Case("the metadata's provides_extra", wheel_fields=["Provides-Extra: more"]),
    "a link of the wheel alone": Case(
        "the metadata's project_urls", wheel_fields=["Project-URL: X, https://127.0.0.1/"]
    ),
    "a module that raises": Case(f"{BROKEN}RuntimeError: no", both=module("raise RuntimeError('no')\n")),
    "a module that exits": Case(f"{BROKEN}SystemExit: no", both=module("raise SystemExit('no')\n")),
    "a module that ends the interpreter": Case(
        f"{BROKEN}it ended the interpreter", both=module("import os\nos._exit(0)\n")
    ),
    "a module that is no Python": Case(f"{BROKEN}SyntaxError", both=module("x = = 1\n")),
    "a module that needs a module of its own that is not there": Case(
        f"{BROKEN}ModuleNotFoundError", both=module("import ferrous_wheel.no_such\n"), fields=["Provides-Extra: more"]
    ),
    "a dependency that tests bring": Case(f"{BROKEN}ModuleNotFoundError", both=module("import pytest\n")),
    "a dependency that tools bring": Case(f"{BROKEN}ModuleNotFoundError", both=module("import packaging\n")),
    "a dependency that pip brings": Case(f"{BROKEN}ModuleNotFoundError", both=module("import pip\n")),
    "a dependency that old Pythons bring": Case(f"{BROKEN}ModuleNotFoundError", both=module("import setuptools\n")),
    "an extra of what does not exist": Case(
        "the extra more requires what cannot be installed",
        fields=["Provides-Extra: more", "Requires-Dist: frob-dep>=9; extra == 'more'"],
    ),
    "an extra that the package itself rules out": Case(
        "the extra more requires what cannot be installed",
        fields=["Provides-Extra: more", "Requires-Dist: frob-dep<2", "Requires-Dist: frob-dep>=2; extra == 'more'"],
    ),
    "a package that works in site-packages alone": Case(
        "import ferrous_wheel._core fails where the wheel was installed into a folder",
        both={INIT: "if 'site-packages' not in __file__:\n    raise RuntimeError('moved')\n"},
    ),
    "an edited licence": Case(OTHER.format(f"{INFO}/licenses/LICENSE"), {f"{INFO}/licenses/LICENSE": "Mine.\n"}),
    "no licence": Case(f"the installation lacks {INFO}/licenses/LICENSE", {f"{INFO}/licenses/LICENSE": None}),
    "a lowest version that is too low": Case(
        f"{BROKEN}ImportError",
        both=module("from frob_dep import new\n"),
        fields=["Requires-Dist: frob-dep>=1"],
        oldest=True,
    ),
    "an extra of a dependency that it has not": Case(
        "requires what cannot be installed together: frob-dep[nope]: an extra of it does not exist",
        fields=["Requires-Dist: frob-dep[nope]"],
    ),
    "a module that leans on what another one imports": Case(
        "import ferrous_wheel.second fails in an interpreter of its own",
        both={"ferrous_wheel/first.py": "import xml.dom\n", "ferrous_wheel/second.py": "import xml\nxml.dom\n"},
    ),
    "a lowest version that does not exist": Case(
        "cannot be installed in its lowest versions: frob-dep==1.1",
        fields=["Requires-Dist: frob-dep==1.1"],
        oldest=True,
    ),
}
EXTRA = ["Provides-Extra: more", "Requires-Dist: frob-dep>=1; extra == 'more'"]
ORDINARY = {
    "the sample": Case(),
    "data files": Case(both={"ferrous_wheel/data/wörter.txt": "ä", "ferrous_wheel/data/empty": ""}),
    "a subpackage": Case(
        both={"ferrous_wheel/sub/__init__.py": "", "ferrous_wheel/sub/_x.py": "from . import __name__\n"}
    ),
    "a folder of files to be copied": Case(both={"ferrous_wheel/templates/setup.py": "import no_such_module\n"}),
    "a program": Case(both={"ferrous_wheel/__main__.py": "raise SystemExit(3)\n"}),
    "a command": Case(wheel=ENTRY, both=MAIN, pyproject=SCRIPTS),
    "a command on an old Python": Case(wheel=ENTRY, both=MAIN, pyproject=SCRIPTS, oldest=True),
    "a window's command": Case(
        wheel={f"{INFO}/entry_points.txt": "[gui_scripts]\nturbo-w = ferrous_wheel.extra:main\n"},
        both=MAIN,
        pyproject="[project.gui-scripts]\nturbo-w = 'ferrous_wheel.extra:main'\n",
    ),
    "a plugin": Case(
        wheel={f"{INFO}/entry_points.txt": "[some.group]\nx=ferrous_wheel.extra\n"},
        both=MAIN,
        pyproject="[project.entry-points.'some.group']\nx = 'ferrous_wheel.extra'\n",
    ),
    "a module for another system": Case(both=module("import winreg\nimport msvcrt\n")),
    "a module that needs an extra": Case(both=module("import frob_dep\n"), fields=EXTRA),
    "a module that does without": Case(both=module("try:\n    import no_such\nexcept ImportError:\n    pass\n")),
    "a module that warns": Case(both=module("import warnings\nwarnings.warn('old', DeprecationWarning)\n")),
    "a module that prints": Case(both=module("import sys\nprint('x')\nprint('{', file=sys.stderr)\nsys.argv = []\n")),
    "a module that starts what goes on": Case(
        both=module("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n")
    ),
    "a dependency": Case(both=module("import frob_dep\n"), fields=["Requires-Dist: frob-dep>=1,<3"]),
    "a dependency without a lowest version": Case(
        both=module("from frob_dep import new\n"), fields=["Requires-Dist: frob-dep"], oldest=True
    ),
    "a dependency in its lowest version": Case(
        both=module("from frob_dep import new\n"), fields=["Requires-Dist: frob-dep~=2.0"], oldest=True
    ),
    "a dependency of other Pythons": Case(fields=["Requires-Dist: no-such; python_version < '3'"], oldest=True),
    "an extra of an extra": Case(
        fields=[*EXTRA, "Provides-Extra: all", "Requires-Dist: ferrous-wheel[more]; extra == 'all'"]
    ),
    "data beside the package": Case(
        wheel={f"{DATA}/scripts/frob.sh": "#!/bin/sh\n", f"{DATA}/data/share/man/man1/frob.1": "x"},
        sdist={"more/scripts/frob.sh": "#!/bin/sh\n", "more/data/share/man/man1/frob.1": "x"},
        maturin='data = "more"\n',
    ),
}


# What is told of one installation at once: by a line of it, what is wrong.
BESIDE = "which no build writes"
PROMISES = {
    f"holds {INFO}/direct_url.json, {BESIDE}": Case(wheel={f"{INFO}/direct_url.json": "{}"}),
    f"holds {INFO}/extra.txt, {BESIDE}": Case(wheel={f"{INFO}/extra.txt": "x"}),
    f"holds {INFO}/sboms/evil.py, {BESIDE}": Case(wheel={f"{INFO}/sboms/evil.py": "x"}),
    LEFT.format(f"{INFO}/licenses/OTHER"): Case(wheel={f"{INFO}/licenses/OTHER": "x"}),
    LEFT.format("ferrous_wheel.libs/evil.py"): Case(wheel={"ferrous_wheel.libs/evil.py": "x"}),
    "the metadata's x-frob is ['other'], and the sdist's is None": Case(wheel_fields=["X-Frob: other"]),
    "the metadata says Typing :: Typed, and ferrous_wheel/ has no py.typed": Case(
        wheel={"ferrous_wheel/py.typed": None}, sdist={"python/ferrous_wheel/py.typed": None}
    ),
    f"ferrous_wheel.__version__ is 99, and {PROJECT.version} is installed": Case(both={INIT: "__version__ = '99'\n"}),
    "import ferrous_wheel.__main__ fails: SyntaxError": Case(both={"ferrous_wheel/__main__.py": "x = = 1\n"}),
    "import ferrous_wheel.more fails: AttributeError": Case(both={"ferrous_wheel/more.py": "__all__ = ['ghost']\n"}),
    "the entry point turbo = ferrous_wheel.extra:main fails: TypeError: ferrous_wheel.extra:main cannot": Case(
        wheel=ENTRY, both=module("main = 'x'\n"), pyproject=SCRIPTS
    ),
    "loading the package changes cache.txt, in its own folder": Case(
        both={"ferrous_wheel/own.py": "from pathlib import Path\nPath(__file__).with_name('cache.txt').touch()\n"}
    ),
}


UNSAFE = {
    "a name that goes outside": Case("leads out of the archive [safe-members]", {"../../../../evil.py": ""}),
    "an absolute name": Case("is an absolute path [safe-members]", {"/evil.py": ""}),
    "data that goes outside": Case("leads out of the archive [safe-members]", {f"{DATA}/scripts/../../x.py": ""}),
    "a backslash": Case("has a backslash in it [safe-members]", {"ferrous_wheel\\..\\evil.py": ""}),
    "a device of Windows": Case("is a device on Windows [safe-members]", {"ferrous_wheel/aux.py": ""}),
    "a name twice in other case": Case("is there in other case too", {"ferrous_wheel/__INIT__.py": ""}),
    "an sdist without metadata": Case("PKG-INFO not found", sdist={"PKG-INFO": None}),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_cannot_be_unpacked_without_harm_is_refused_before_all_else(
    wheel: Path, sdist: Path, tmp_path: Path, name: str
) -> None:
    folder = UNSAFE[name].make(wheel, sdist, tmp_path / "wheelhouse")
    with pytest.raises(ProblemsError, match=re.escape(UNSAFE[name].says)):
        verify(folder, oldest=False)
    assert not (tmp_path / "job").exists()


TELLS = "import os; open({!r}, 'a').write(f'{{dict(os.environ)}}\\n')\n"


@pytest.mark.usefixtures("elsewhere")
def test_no_code_of_the_package_runs_where_an_address_is_known(
    wheel: Path, sdist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What requires is fetched beside the package, which could run in each start of the environment's Python."""
    told = tmp_path / "told"
    case = Case(
        both={
            "each_start.pth": TELLS.format(str(told)),
            "ferrous_wheel/extra.py": f"import frob_dep\n{MAIN['ferrous_wheel/extra.py']}",
        },
        fields=[*EXTRA, "Requires-Dist: frob-dep"],
        wheel=ENTRY,
        pyproject=SCRIPTS,
    )
    monkeypatch.setenv("UV_INDEX_OURS_PASSWORD", "secret-word")
    job = verify(case.make(wheel, sdist, tmp_path / "wheelhouse"), oldest=False)
    assert (job.problems, job.result) == ([], "installed")
    text = told.read_text(encoding="utf-8")
    assert "PATH" in text
    assert "secret" not in text
    assert "UV_FIND_LINKS" not in text


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine's uv look in a folder as well, with two versions of a package."""
    folder = tmp_path / "elsewhere"
    make_wheel(folder, "frob_dep", "1.0", {"frob_dep.py": b""})
    make_wheel(folder, "frob_dep", "2.0", {"frob_dep.py": b"new = 1\n"})
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))


def verify(folder: Path, *, oldest: bool) -> Job:
    """Do what the page does with pip."""
    artefacts = Artefacts.read(PROJECT, folder, PROJECT.version, None, folder.parent / "sdist")
    steps = partial(PAGE.wheel_with_pip, own=oldest)
    return Job(THIS, "wheel", steps, Source(PROJECT, artefacts)).run(folder.parent / "job")


def test_every_promise_that_is_not_kept_is_told_at_once(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    together = Case(
        wheel={name: text for case in PROMISES.values() for name, text in case.wheel.items()},
        both={name: text for case in PROMISES.values() for name, text in case.both.items()},
        sdist={name: text for case in PROMISES.values() for name, text in case.sdist.items()},
        wheel_fields=[line for case in PROMISES.values() for line in case.wheel_fields],
        pyproject=SCRIPTS,
    )
    told = "\n".join(
        one.what for one in verify(together.make(wheel, sdist, tmp_path / "wheelhouse"), oldest=False).problems
    )
    assert [says for says in PROMISES if says not in told] == [], told
    assert len(told.splitlines()) == len(PROMISES)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", [*FOOLING, *ORDINARY])
def test_what_a_user_would_have_is_judged_as_what_it_is(wheel: Path, sdist: Path, tmp_path: Path, name: str) -> None:
    case = {**FOOLING, **ORDINARY}[name]
    job = verify(case.make(wheel, sdist, tmp_path / "wheelhouse"), oldest=case.oldest)
    told = "\n".join(one.what for one in job.problems)
    assert (case.says in told) if case.says else (told == ""), job.problems
    assert job.result == ("" if case.says else "installed")
