"""Whether an index serves exactly what was built, asked of one on loopback."""

import json
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from packaging.version import Version

from helpers import PROJECT, run
from pipeline_index import PackageIndex, running
from roadworthy.ci import built
from roadworthy.index import LARGEST_PAGE, BusyError, Index, Patience
from roadworthy.project import Project
from roadworthy.releasing.version import next_version, parse_version, repair
from roadworthy.sums import read_sums, write_sums
from roadworthy.terminal import ProblemsError

SCRIPT = ("-m", "roadworthy", "check-index")
SDIST = "ferrous_wheel-0.2.0.tar.gz"
WHEEL = "ferrous_wheel-0.2.0-cp310-abi3-win_amd64.whl"
NEWER = "ferrous_wheel-0.2.1.tar.gz"


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """Return the SHA256SUMS of what was built."""
    (tmp_path / "dist").mkdir()
    for name in (SDIST, WHEEL):
        (tmp_path / "dist" / name).write_bytes(name.encode())
    write_sums(tmp_path / "SHA256SUMS", tmp_path / "dist")
    return tmp_path / "SHA256SUMS"


@pytest.fixture
def served() -> Iterator[PackageIndex]:
    """Return an index that serves exactly that, and another version."""
    with running(PackageIndex({name: name.encode() for name in (SDIST, WHEEL, NEWER)})) as served:
        yield served


def check(
    served: PackageIndex, sums: Path, version: str = "0.2.0", longest: float = 600, project: Project = PROJECT
) -> None:
    """Check in this process, and wait but little between the questions."""
    given = {"INDEX": served.simple, "SUMS": sums, "VERSION": version}
    built.check(project, given, parse_version(version), Patience(longest, 0.01))


def refused(served: PackageIndex, sums: Path, longest: float = 600, project: Project = PROJECT) -> list[str]:
    """Check, and return the problems that are found."""
    with pytest.raises(ProblemsError) as caught:
        check(served, sums, longest=longest, project=project)
    return [one.what for one in caught.value.problems]


def test_an_index_that_serves_what_was_built_passes(served: PackageIndex, sums: Path, tmp_path: Path) -> None:
    where = (f"--index={served.simple}", f"--sums={sums}", "--", "0.2.0")
    done = run(sys.executable, *SCRIPT, *where, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{served.simple} serves exactly the 2 files of {sums}, each with an attestation\n"
    summary = (tmp_path / "summary").read_text(encoding="utf-8")
    for name, digest in read_sums(sums).items():
        assert f"| {name} | {digest} |" in summary
    assert NEWER not in summary


@pytest.mark.parametrize("version", ["0.2.0", "v0.2.0", "0.2"])
def test_the_version_may_be_spelled_as_pep_440_allows(served: PackageIndex, sums: Path, version: str) -> None:
    check(served, sums, version)


def test_a_file_that_a_cache_does_not_show_yet_is_waited_for(
    served: PackageIndex, sums: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served.late = {SDIST: 2, WHEEL: 3}
    check(served, sums)
    assert len(served.asked) == 4
    said = capsys.readouterr().err.splitlines()
    first = "ferrous-wheel 0.2.0 is not on"
    assert [first in line for line in said] == [True, True, False]
    assert said[2].startswith(f"{served.simple} does not serve {WHEEL} yet; asking again in 0 s, until ")


def test_a_project_that_is_not_there_yet_is_waited_for(served: PackageIndex, sums: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")
    assert refused(served, sums, longest=0.1, project=Project(tmp_path)) == [
        f"other is not on {served.simple}, after 0.1 s"
    ]
    assert len(served.asked) > 2


def test_a_file_that_never_appears_is_a_problem(served: PackageIndex, sums: Path) -> None:
    served.late = {WHEEL: 10_000}
    assert refused(served, sums, longest=0.1) == [f"{served.simple} does not serve {WHEEL} yet, after 0.1 s"]


def test_a_file_that_was_not_built_is_refused(served: PackageIndex, sums: Path) -> None:
    extra = "ferrous_wheel-0.2.0-cp310-abi3-win_arm64.whl"
    served.files[extra] = b"extra"
    assert refused(served, sums) == [f"the index serves {extra}, which was not built"]


def test_other_bytes_are_refused(served: PackageIndex, sums: Path) -> None:
    served.files[WHEEL] = b"other"
    (problem,) = refused(served, sums)
    assert problem.startswith(f"the index serves {WHEEL} with ")
    assert problem.endswith(f", built was {read_sums(sums)[WHEEL]}")


def test_a_file_without_an_attestation_is_refused(served: PackageIndex, sums: Path) -> None:
    served.unattested = {SDIST}
    assert refused(served, sums) == [f"the index serves {SDIST} without an attestation"]


def test_all_that_is_wrong_is_told_at_once_with_what_to_do(served: PackageIndex, sums: Path) -> None:
    extra = "ferrous_wheel-0.2.0-cp310-abi3-win_arm64.whl"
    served.files |= {WHEEL: b"other", extra: b""}
    served.unattested = {SDIST}
    where = (f"--index={served.simple}", f"--sums={sums}", "--", "0.2.0")
    done = run(sys.executable, *SCRIPT, *where, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stderr.count("problem: ") == done.stdout.count("::error::") == 3
    assert done.stderr.count("  these are not the files of this run; yank 0.2.0 on PyPI") == 2
    assert done.stderr.count("run: make release VERSION=0.2.1\n") == 2


ADVICE = """
### What to do

| if | then |
| --- | --- |
| it is the index, or the network | re-run the failed jobs (`gh run rerun --failed`): it is proven again, and released \
on GitHub |
| it is the release | yank 0.2.0 on PyPI (Your projects, Manage, Releases, Options, Yank): nobody gets it any more, \
but who asks for exactly this version |
| it is the release | write the test that fails, repair it, and add a news fragment |
| it is the release | run: make release VERSION=0.2.1 |
| you want to know more | [docs/publishing.md](https://example.invalid/owner/repo/blob/abc/docs/publishing.md\
#a-broken-version-is-out) |

"""


def summary_of(served: PackageIndex, sums: Path, command: str = "check-index") -> str:
    """Run the script in a job on GitHub that publishes to this index, and return the job's summary."""
    summary = sums.with_name("summary")
    summary.touch()
    done = run(
        *(sys.executable, "-m", "roadworthy", *command.split(), f"--sums={sums}", "--", "0.2.0"),
        GITHUB_ACTIONS="true",
        GITHUB_REPOSITORY="owner/repo",
        GITHUB_SERVER_URL="https://example.invalid",
        GITHUB_SHA="abc",
        GITHUB_STEP_SUMMARY=str(summary),
        UV_PUBLISH_URL=served.upload,
    )
    assert done.returncode == (0 if served.files[WHEEL] == WHEEL.encode() else 1), done.stderr
    return summary.read_text(encoding="utf-8")


def test_the_jobs_summary_says_what_to_do_about_what_is_published_and_wrong(served: PackageIndex, sums: Path) -> None:
    assert "What to do" not in summary_of(served, sums)
    sums.with_name("summary").unlink()
    served.files[WHEEL] = b"other"
    assert summary_of(served, sums) == ADVICE


@pytest.mark.parametrize("command", ["check-names", "check-index --index=SIMPLE"])
def test_there_is_nothing_to_do_about_what_is_not_on_pypi(served: PackageIndex, sums: Path, command: str) -> None:
    served.files[WHEEL] = b"other"
    assert summary_of(served, sums, command.replace("SIMPLE", served.simple)) == ""


def test_the_document_that_the_summary_names_has_that_part() -> None:
    assert "\n### A broken version is out\n" in (PROJECT.root / "docs" / "publishing.md").read_text(encoding="utf-8")


def test_what_was_not_asked_for_is_refused_as_a_word_of_make(sums: Path) -> None:
    done = run(sys.executable, *SCRIPT, GIVEN="SUMS", SUMS=str(sums))
    said = "usage: make check-index needs VERSION; it takes VERSION, INDEX, SUMS\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize("version", ["latest", " ", "0.2.0-dev"])
def test_what_is_no_version_is_refused(sums: Path, version: str) -> None:
    done = run(sys.executable, *SCRIPT, "--index=http://127.0.0.1:9/", f"--sums={sums}", "--", f"{version} x".strip())
    assert done.returncode == 1
    assert done.stderr.startswith("problem: VERSION=")
    assert "is no version\n  write it as it was released, such as 0.2.2 or 0.3.0-rc1\n" in done.stderr


def test_hashes_that_cannot_be_read_are_a_problem(tmp_path: Path) -> None:
    done = run(sys.executable, *SCRIPT, f"--sums={tmp_path / 'none'}", "0.2.0")
    assert done.returncode == 1
    assert f"problem: {tmp_path / 'none'} cannot be read: " in done.stderr


def test_an_address_where_nothing_answers_is_a_problem(sums: Path) -> None:
    with running(PackageIndex()) as stopped:
        pass
    done = run(sys.executable, *SCRIPT, f"--index={stopped.simple}", f"--sums={sums}", "--", "0.2.0")
    assert done.returncode == 1
    assert f"problem: {stopped.simple} does not answer as an index: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=x"])
def test_what_answers_and_is_no_index_is_a_problem(served: PackageIndex, sums: Path, content_type: str) -> None:
    served.content_type = content_type
    done = run(sys.executable, *SCRIPT, f"--index={served.simple}", f"--sums={sums}", "--", "0.2.0")
    assert done.returncode == 1
    assert f"problem: {served.simple} does not answer as an index: " in done.stderr
    assert "check INDEX and the network\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.2.0", "0.2.1"),
        ("0.2.9", "0.2.10"),
        ("1.0.0-rc9", "1.0.0-rc10"),
        ("0.3.0-alpha1", "0.3.0-alpha2"),
        ("1.0.0rc9", "1.0.0-rc10"),
        ("0.2", "0.2.1"),
        ("v0.2.0", "0.2.1"),
        # By hand, to TestPyPI: the next one is a run's.
        ("0.2.1-dev7", "0.2.1"),
    ],
)
def test_a_broken_version_is_followed_by_the_next_of_its_kind(version: str, expected: str) -> None:
    assert next_version(version) == expected
    steps = repair(version)
    assert steps[-1] == f"run: make release VERSION={expected}"
    assert steps[0].startswith(f"yank {version} on PyPI")


# Names that lead to another place, or pose as something else, on one system or the other.
HOSTILE = [
    "ferrous_wheel-0.2.0-1/../../../outside/x-cp310-abi3-win_amd64.whl",
    "ferrous_wheel-0.2.0-1\\..\\..\\outside\\x-cp310-abi3-win_amd64.whl",
    "ferrous_wheel-0.2.0-1:stream-cp310-abi3-win_amd64.whl",
    "ferrous_wheel-0.2.0-1\x1b[2J-cp310-abi3-win_amd64.whl",
    "ferrous_wheel-0.2.0-1\n-cp310-abi3-win_amd64.whl",
    "ferrous_wheel-0.2.0-cp310-abi3-win_amd64 .whl",
    "ferrous_wheel-0.2.0.tar.bz2",
    # Its tags would be multiplied with each other.
    f"ferrous_wheel-0.2.0-{'-'.join('.'.join(f'{kind}{n}' for n in range(99)) for kind in ('cp', 'abi', 'win'))}.whl",
]


def list_all(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_that_an_index_tells_is_no_path(
    served: PackageIndex,
    sums: Path,
    tmp_path: Path,
    hostile: str,
) -> None:
    served.files[hostile] = b"anything"
    served.sends = True
    before = list_all(tmp_path)
    what = f"{served.simple} serves {hostile!r}, which is no name of a wheel or an sdist"
    (tmp_path / "in" / "side").mkdir(parents=True)
    with pytest.raises(ProblemsError) as caught:
        Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path / "in" / "side")
    assert [one.what for one in caught.value.problems] == [what]
    assert refused(served, sums) == [what]
    assert list_all(tmp_path) == sorted([*before, tmp_path / "in", tmp_path / "in" / "side"])


@pytest.mark.parametrize(
    "other",
    [
        f"{PROJECT.import_name.replace('_', '.').title()}-0.2.0.tar.gz",
        "ferrous-wheel-0.2.tar.gz",
        "ferrous_wheel-0.2.0-cp310-abi3-WIN_amd64.whl",
    ],
)
def test_one_file_under_two_names_is_refused(served: PackageIndex, sums: Path, tmp_path: Path, other: str) -> None:
    served.files[other] = b"other"
    with pytest.raises(ProblemsError, match="serves one file 2 times: "):
        Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path / "none")
    assert "serves one file 2 times: " in "".join(refused(served, sums))
    assert not (tmp_path / "none").exists()


def test_a_file_that_is_too_large_is_not_kept(served: PackageIndex, tmp_path: Path) -> None:
    served.sends = True
    served.files = {SDIST: b"anything"}
    Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path)
    assert (tmp_path / SDIST).read_bytes() == b"anything"
    with pytest.raises(ProblemsError, match="it sends more than 7 bytes"):
        Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path, largest=7)
    assert list(tmp_path.iterdir()) == []


def test_many_files_are_too_large_together(served: PackageIndex, tmp_path: Path) -> None:
    served.sends = True
    served.files = {SDIST: b"anything", WHEEL: b"anything"}
    with pytest.raises(ProblemsError, match="it sends more than 15 bytes"):
        Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path, largest=15)
    Index(served.simple).download("ferrous-wheel", Version("0.2.0"), tmp_path, largest=16)


class Endless(BaseHTTPRequestHandler):
    """Answers with a page that never ends, packed so that each kilobyte of it is a megabyte."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        stream = zlib.compressobj(wbits=31)
        with suppress(OSError):
            while True:
                self.wfile.write(stream.compress(b" " * (1 << 20)) + stream.flush(zlib.Z_SYNC_FLUSH))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("ask", [lambda index: index.page("x"), lambda index: index.files("x", Version("1"))])
def test_a_page_without_an_end_is_refused_before_it_fills_the_memory(ask: Callable[[Index], object]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tracemalloc.start()
        with pytest.raises(ValueError, match=f"it sends more than {LARGEST_PAGE:,} bytes"):
            ask(Index(f"http://127.0.0.1:{server.server_address[1]}/simple/"))
        assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST_PAGE
        tracemalloc.stop()
        server.shutdown()


class Dripping(BaseHTTPRequestHandler):
    """Sends a byte now and then, and so is never silent: of its headers, of a page, or of the file on a page."""

    def do_GET(self) -> None:
        if not self.path.startswith("/headers/"):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
        with suppress(OSError):
            if self.path == "/file/x/":
                self.wfile.write(b'<html><body><a href="/x-1.tar.gz">x-1.tar.gz</a></body></html>')
                return
            while True:
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("what", ["headers", "body", "file"])
def test_an_index_that_drips_is_not_read_for_ever(what: str, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        index = Index(f"http://127.0.0.1:{server.server_address[1]}/{what}/", 30 if what == "file" else 0.3, 0.3)
        if what == "file":
            with pytest.raises(ProblemsError, match="all that was asked for has not come by "):
                index.download("x", Version("1"), tmp_path)
        else:
            said = rf"the page of x on {index.url} has not come by \d\d:\d\d:\d\d, within 0\.3 s"
            with pytest.raises(BusyError, match=said):
                index.page("x")
        server.shutdown()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_an_answer_that_breaks_off_is_asked_for_again(sent: bytes) -> None:
    class Broken(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(10_000)
            self.request.sendall(sent)

    with ThreadingTCPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(BusyError, match="broke its answer off: "):
            Index(f"http://127.0.0.1:{server.server_address[1]}/simple/").page("x")
        server.shutdown()


def test_a_version_that_is_none_is_of_no_release(served: PackageIndex, sums: Path) -> None:
    served.files["ferrous_wheel-0.2.0_old.tar.gz"] = b"other"
    check(served, sums)


def page_of(name: str, url: str, version: str = "1.1") -> bytes:
    file = {"filename": name, "url": url, "hashes": {}}
    return json.dumps({"meta": {"api-version": version}, "name": "x", "versions": ["1"], "files": [file]}).encode()


# What an index may answer, as the path that asks for it ends, and what is said of that.
NONSENSE = {
    "deep": (b"[" * 200_000, "does not answer as an index: maximum recursion depth exceeded"),
    "version": (page_of("x-1.tar.gz", "/f", "9.0"), "does not answer as an index: Repository's version"),
    "lines": (b"[]", "does not answer as an index: 1 validation error for Project Input should be"),
    "other": (page_of("y-1.tar.gz", "/f"), "serves y-1.tar.gz as files of x"),
    "plain": (page_of("x-1.tar.gz", "http://0.0.0.0:{}/f"), "it leads to http://0.0.0.0:{}/f, which is not encrypted"),
}


class Nonsense(BaseHTTPRequestHandler):
    """Answers what is asked for by the first part of the path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.end_headers()
        answer, _ = NONSENSE.get(self.path.split("/")[1], (b"", ""))
        _, port = self.request.getsockname()
        self.wfile.write(answer.replace(b"{}/f", f"{port}/f".encode()))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def nonsense() -> Iterator[int]:
    """Return the port of a server that answers so."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("what", ["deep", "version"])
def test_who_asks_for_a_page_meets_no_error_of_a_library_s_own(what: str, nonsense: int) -> None:
    with pytest.raises(ValueError, match=NONSENSE[what][1].partition(": ")[2]):
        Index(f"http://127.0.0.1:{nonsense}/{what}/").page("x")


@pytest.mark.parametrize("what", NONSENSE)
def test_an_index_that_answers_nonsense_is_one_clear_line(what: str, tmp_path: Path, nonsense: int) -> None:
    with pytest.raises(ProblemsError) as failed:
        Index(f"http://127.0.0.1:{nonsense}/{what}/").download("x", Version("1"), tmp_path)
    (told,) = failed.value.problems
    assert NONSENSE[what][1].replace("{}", str(nonsense)) in told.what
    assert "\n" not in told.what
