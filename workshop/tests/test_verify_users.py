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


def module(text: str, name: str = "extra") -> dict[str, str]:
    return {f"ferrous_wheel/{name}.py": text}


LEFT = "the installation holds {}, which is not in the source"
LACKS = "the installation lacks {}"
BROKEN = "import ferrous_wheel.{} fails: "
OTHER = "{} is installed with another content than the sdist's"
OUTSIDE = "{} is installed outside the folder of packages, and nothing declares it"
ASIDE = "{} is installed beside the package, and nothing declares it"
BESIDE = "which no build writes"
EACH_START = "{} came with the package and runs in every start of Python"
WRITES = "loading the package changes {}, where packages are installed"
INIT = "ferrous_wheel/__init__.py"
EXTRA = ["Provides-Extra: more", "Requires-Dist: frob-dep>=1; extra == 'more'"]
# What is told of one installation at once, a line of `says` each.
TOGETHER = {
    "what was packed": {
        "an edited module": Case(OTHER.format("ferrous_wheel/a.py"), module("x = 1\n", "a"), module("x = 2\n", "a")),
        "an edited stub": Case(OTHER.format("ferrous_wheel/_core.pyi"), {"ferrous_wheel/_core.pyi": "# none\n"}),
        "an edited marker of types": Case(
            OTHER.format("ferrous_wheel/py.typed"), {"ferrous_wheel/py.typed": "partial\n"}
        ),
        "no stub": Case(
            LACKS.format("ferrous_wheel/b.pyi"),
            {"ferrous_wheel/b.pyi": None},
            {"ferrous_wheel/b.pyi": "", **module("", "b")},
        ),
        "a data file that differs": Case(
            OTHER.format("ferrous_wheel/words.txt"), {"ferrous_wheel/words.txt": "b"}, {"ferrous_wheel/words.txt": "a"}
        ),
        "a data file that is missing": Case(
            LACKS.format("ferrous_wheel/more.txt"), {"ferrous_wheel/more.txt": None}, {"ferrous_wheel/more.txt": ""}
        ),
        "an installer's name": Case(LEFT.format("ferrous_wheel/INSTALLER"), {"ferrous_wheel/INSTALLER": "x"}),
        "stale bytecode": Case("x.pyc: installed is not what", {"ferrous_wheel/__pycache__/x.pyc": "x"}),
        "a stale test": Case(LEFT.format("tests/test_x.py"), {"tests/test_x.py": ""}),
        "a path file": Case(f"{LEFT}\n{EACH_START}".replace("{}", "evil.pth"), {"evil.pth": "import os\n"}),
        "a path file in another place": Case(
            f"{LEFT}\n{EACH_START}".replace("{}", "e.pth"), {f"{DATA}/purelib/e.pth": "import os\n"}
        ),
        "code at every start": Case(
            f"{LEFT}\n{EACH_START}".replace("{}", "usercustomize.py"), {"usercustomize.py": ""}
        ),
        "a module of another's name": Case(LEFT.format("packaging/version.py"), {"packaging/version.py": ""}),
        "a script of another's name": Case(OUTSIDE.format("bin/pip"), {f"{DATA}/scripts/pip": "#!python\n"}),
        "a file of the system's": Case(OUTSIDE.format("etc/x.conf"), {f"{DATA}/data/etc/x.conf": ""}),
        "a header": Case("x.h is installed outside the folder of packages", {f"{DATA}/headers/x.h": ""}),
        "where it was built": Case(
            f"holds {INFO}/direct_url.json, {BESIDE}",
            {f"{INFO}/direct_url.json": '{"url": "file:///x", "dir_info": {}}'},
        ),
        "more in the metadata": Case(f"holds {INFO}/extra.txt, {BESIDE}", {f"{INFO}/extra.txt": "x"}),
        "a program as an SBOM": Case(f"holds {INFO}/sboms/evil.py, {BESIDE}", {f"{INFO}/sboms/evil.py": "x"}),
        "another licence": Case(LEFT.format(f"{INFO}/licenses/OTHER"), {f"{INFO}/licenses/OTHER": "x"}),
        "an edited licence": Case(OTHER.format(f"{INFO}/licenses/LICENSE"), {f"{INFO}/licenses/LICENSE": "Mine.\n"}),
        "a program as a library": Case(LEFT.format("ferrous_wheel.libs/evil.py"), {"ferrous_wheel.libs/evil.py": "x"}),
        "a field of the wheel alone": Case(
            "the metadata's x-frob is ['other'], and the sdist's is None", wheel_fields=["X-Frob: other"]
        ),
        "a requirement of the wheel alone": Case(
            "the metadata's requires_dist is ['frob-dep'], and the sdist's is None",
            wheel_fields=["Requires-Dist: frob-dep"],
        ),
        "a summary of the wheel alone": Case("the metadata's summary is ['Other', ", wheel_fields=["Summary: Other"]),
        "another Python": Case(
            "the metadata's requires_python\nthe metadata's requires-python", wheel_fields=["Requires-Python: >=3.8"]
        ),
        "an extra of the wheel alone": Case("the metadata's provides_extra", wheel_fields=["Provides-Extra: more"]),
        "a link of the wheel alone": Case(
            "the metadata's project_urls", wheel_fields=["Project-URL: X, https://127.0.0.1/"]
        ),
    },
    "what is promised": {
        "no licence": Case(LACKS.format(f"{INFO}/licenses/LICENSE"), {f"{INFO}/licenses/LICENSE": None}),
        "types without a marker": Case(
            "the metadata says Typing :: Typed, and ferrous_wheel/ has no py.typed",
            wheel={"ferrous_wheel/py.typed": None},
            sdist={"python/ferrous_wheel/py.typed": None},
        ),
        "a path file in both": Case(EACH_START.format("evil.pth"), both={"evil.pth": "import os\n"}),
        "another package in both": Case(ASIDE.format("words/__init__.py"), both={"words/__init__.py": ""}),
        "another version": Case(
            f"ferrous_wheel.__version__ is 99, and {PROJECT.version} is installed", both={INIT: "__version__ = '99'\n"}
        ),
        "a program that is no Python": Case(
            f"{BROKEN}SyntaxError".format("__main__"), both=module("x = = 1\n", "__main__")
        ),
        "a module that is no Python": Case(f"{BROKEN}SyntaxError".format("a"), both=module("x = = 1\n", "a")),
        "a module that raises": Case(
            f"{BROKEN}RuntimeError: no".format("b"), both=module("raise RuntimeError('no')\n", "b")
        ),
        "a module that exits": Case(
            f"{BROKEN}SystemExit: no".format("c"), both=module("raise SystemExit('no')\n", "c")
        ),
        "a name that is not there": Case(
            f"{BROKEN}AttributeError".format("d"), both=module("__all__ = ['ghost']\n", "d")
        ),
        "a module of its own that is not there": Case(
            f"{BROKEN}ModuleNotFoundError".format("e"), both=module("import ferrous_wheel.no_such\n", "e")
        ),
        **{
            f"a dependency that {name} brings": Case(
                f"{BROKEN}ModuleNotFoundError: No module named '{name}'".format(f"with_{name}"),
                both=module(f"import {name}\n", f"with_{name}"),
            )
            for name in ("pytest", "packaging", "pip", "setuptools")
        },
        "a dependency that is asked for by its own words": Case(
            f"{BROKEN}ImportError: pip install no_such".format("f"),
            both=module("try: import no_such\nexcept ImportError: raise ImportError('pip install no_such')\n", "f"),
        ),
        "a dependency that a function needs": Case(
            "the import of pytest in ferrous_wheel/g.py fails: ModuleNotFoundError",
            both=module("def f():\n    import pytest\n    return pytest\n", "g"),
        ),
        "a stub that promises more": Case(
            "the stub ferrous_wheel/h.pyi fails: AttributeError: ferrous_wheel.h has no gone, C.m",
            both={
                **module("x = 1\nclass C: pass\n", "h"),
                "ferrous_wheel/h.pyi": "x: int\ngone: int\nclass C:\n    def m(self) -> int: ...\n",
            },
        ),
        "a stub of no module": Case("the stub ferrous_wheel/ghost.pyi fails: ", both={"ferrous_wheel/ghost.pyi": ""}),
        "a file in its own folder": Case(
            WRITES.format("ferrous_wheel/cache.txt"),
            both=module("from pathlib import Path\nPath(__file__).with_name('cache.txt').touch()\n", "i"),
        ),
        "a file beside its own folder": Case(
            WRITES.format("cache.txt"),
            both=module("from pathlib import Path\nPath(__file__).parent.with_name('cache.txt').touch()\n", "j"),
        ),
        "entry points": Case(
            "the entry point a = ferrous_wheel.extra:main in console_scripts is only installed\n"
            "the entry point b = ferrous_wheel.extra:main in console_scripts is only in the sdist\n"
            "the entry point c = ferrous_wheel.nowhere:main fails: ModuleNotFoundError\n"
            "the entry point d = ferrous_wheel.extra:no fails: AttributeError\n"
            "the entry point e = ferrous_wheel.extra:text fails: TypeError: ferrous_wheel.extra:text cannot be called",
            wheel={
                f"{INFO}/entry_points.txt": "[console_scripts]\na=ferrous_wheel.extra:main\n"
                "c=ferrous_wheel.nowhere:main\nd=ferrous_wheel.extra:no\ne=ferrous_wheel.extra:text\n"
            },
            both=module("text = ''\ndef main() -> None: pass\n"),
            pyproject="[project.scripts]\nb = 'ferrous_wheel.extra:main'\nc = 'ferrous_wheel.nowhere:main'\n"
            "d = 'ferrous_wheel.extra:no'\ne = 'ferrous_wheel.extra:text'\n",
        ),
    },
}
FOOLING = {
    "a module that ends the interpreter": Case(
        f"{BROKEN}it ended the interpreter".format("extra"), both=module("import os\nos._exit(0)\n")
    ),
    "a module that dies": Case(
        f"{BROKEN}it ended the interpreter".format("extra"), both=module("import ctypes\nctypes.string_at(0)\n")
    ),
    "a package in the native module's place": Case(
        "ferrous_wheel._core is imported from __init__.py, and not the native module",
        both={"ferrous_wheel/_core/__init__.py": "", INIT: ""},
    ),
    "a marker of types without any": Case(
        "ferrous_wheel has a py.typed, and neither a stub nor an annotation",
        wheel={"ferrous_wheel/_core.pyi": None},
        sdist={"python/ferrous_wheel/_core.pyi": None},
        both={INIT: ""},
    ),
    "a command in the interpreter's place": Case(
        "a script of the package takes the place of what every environment has: python",
        wheel={f"{INFO}/entry_points.txt": "[console_scripts]\npython = ferrous_wheel.extra:main\n"},
        both=MAIN,
        pyproject="[project.scripts]\npython = 'ferrous_wheel.extra:main'\n",
    ),
    "a dependency that no extra brings": Case(
        "import ferrous_wheel.extra fails, although all extras are installed: ModuleNotFoundError",
        both=module("import no_such\n"),
        fields=EXTRA,
    ),
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
    "a lowest version that is too low": Case(
        f"{BROKEN}ImportError".format("extra"),
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
# What is ordinary, or at least right.
COMMANDS = {
    f"{INFO}/entry_points.txt": "[console_scripts]\nturbo = ferrous_wheel.extra:main\n"
    "[gui_scripts]\nturbo-w = ferrous_wheel.extra:Turbo.main\n[some.group]\nx=ferrous_wheel.extra\n"
}
PLUGINS = (
    f"{SCRIPTS}[project.gui-scripts]\nturbo-w = 'ferrous_wheel.extra:Turbo.main'\n"
    "[project.entry-points.'some.group']\nx = 'ferrous_wheel.extra'\n"
)
COMMAND = "def main() -> None: pass\nclass Turbo: main = main\n"
WITHOUT = """\
import sys
try:
    import no_such
except ImportError:
    pass
def late():
    if sys.platform == "no such":
        import no_such
    try:
        import no_such
    except ImportError:
        return None
"""
CACHE = "from pathlib import Path\nPath.home().joinpath('.cache').mkdir(exist_ok=True)\n"
ORDINARY = {
    "the sample": Case(),
    "much that is seldom": Case(
        both={
            "ferrous_wheel/data/wörter.txt": "ä",
            "ferrous_wheel/data/empty": "",
            "ferrous_wheel/templates/setup.py": "import no_such_module\n",
            "ferrous_wheel/sub/__init__.py": "",
            "ferrous_wheel/sub/_x.py": "from . import __name__\n",
            "ferrous_wheel/tests/__init__.py": "",
            "ferrous_wheel/tests/helper.py": "import pytest\n",
            "ferrous_wheel/conftest.py": "import pytest\n",
            **module("raise SystemExit(3)\n", "__main__"),
            **module("import no_such\n", "lambda"),
            **module("import winreg\nimport msvcrt\n", "windows"),
            **module(WITHOUT, "without"),
            **module("import warnings\nwarnings.warn('old', DeprecationWarning)\n", "warns"),
            **module("import sys\nprint('x')\nprint('{', file=sys.stderr)\nsys.argv = []\n", "prints"),
            **module(CACHE, "cache"),
            **module(
                "import types\nsub = types.ModuleType('sub')\nsub.f = 1\nclass A:\n    def m(self): self.y = 1\n", "nat"
            ),
            "ferrous_wheel/nat/__init__.pyi": "from . import sub as sub\n_T: int\n"
            "class A:\n    y: int\n    def m(self): ...\n",
            "ferrous_wheel/nat/sub.pyi": "f: int\n",
            "ferrous_wheel/_types.pyi": "x: int\n",
        }
    ),
    "a module that refuses a system": Case(both=module("raise ImportError('for Windows alone')\n")),
    "a dependency of another system": Case(
        both={**module("import win32api\n"), **module("def f():\n    import win32api\n", "late")},
        fields=["Requires-Dist: pywin32>=300; sys_platform == 'win32'"],
    ),
    "commands and a plugin": Case(wheel=COMMANDS, both=module(COMMAND), pyproject=PLUGINS),
    "a command on an old Python": Case(wheel=ENTRY, both=MAIN, pyproject=SCRIPTS, oldest=True),
    "modules and a command that need an extra": Case(
        wheel=ENTRY,
        both={
            **module(f"import frob_dep\n{MAIN['ferrous_wheel/extra.py']}"),
            **module(
                "try: import frob_dep\nexcept ImportError: raise ImportError('take ferrous-wheel[more]')\n", "asks"
            ),
            **module("def f():\n    import frob_dep\n", "late"),
        },
        fields=[*EXTRA, "Provides-Extra: all", "Requires-Dist: ferrous-wheel[more]; extra == 'all'"],
        pyproject=SCRIPTS,
    ),
    "a module that starts what goes on": Case(
        both=module("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n")
    ),
    "a dependency": Case(both=module("import frob_dep\n"), fields=["Requires-Dist: frob-dep>=1,<3"]),
    "a dependency without a lowest version": Case(
        both=module("from frob_dep import new\n"), fields=["Requires-Dist: frob-dep"], oldest=True
    ),
    "a dependency in its lowest version": Case(
        both=module("from frob_dep import new\n"),
        fields=["Requires-Dist: frob-dep~=2.0", "Requires-Dist: no-such; python_version < '3'"],
        oldest=True,
    ),
    "data beside the package": Case(
        wheel={f"{DATA}/scripts/frob.sh": "#!/bin/sh\n", f"{DATA}/data/share/man/man1/frob.1": "x"},
        sdist={"more/scripts/frob.sh": "#!/bin/sh\n", "more/data/share/man/man1/frob.1": "x"},
        maturin='data = "more"\n',
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
    assert [one.what for one in job.problems] == [EACH_START.format("each_start.pth")]
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


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("group", TOGETHER)
def test_all_that_is_wrong_is_told_at_once_as_what_it_is(wheel: Path, sdist: Path, tmp_path: Path, group: str) -> None:
    cases = TOGETHER[group].values()
    together = Case(
        wheel={name: text for case in cases for name, text in case.wheel.items()},
        both={name: text for case in cases for name, text in case.both.items()},
        sdist={name: text for case in cases for name, text in case.sdist.items()},
        wheel_fields=[line for case in cases for line in case.wheel_fields],
        pyproject="".join(case.pyproject for case in cases),
    )
    told = [one.what for one in verify(together.make(wheel, sdist, tmp_path / "wheelhouse"), oldest=False).problems]
    expected = [line for case in cases for line in case.says.splitlines()]
    assert [line for line in expected if line not in "\n".join(told)] == [], told
    assert [line for line in told if not any(each in line for each in expected)] == []
    assert len(told) == len(expected)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", [*FOOLING, *ORDINARY])
def test_what_a_user_would_have_is_judged_as_what_it_is(wheel: Path, sdist: Path, tmp_path: Path, name: str) -> None:
    case = {**FOOLING, **ORDINARY}[name]
    job = verify(case.make(wheel, sdist, tmp_path / "wheelhouse"), oldest=case.oldest)
    told = "\n".join(one.what for one in job.problems)
    assert (case.says in told) if case.says else (told == ""), job.problems
    refused = "; refused: import ferrous_wheel.extra" if name == "a module that refuses a system" else ""
    assert job.result == ("" if case.says else f"installed{refused}")
