"""Whatever is in a file, the gate says what is wrong and what to do: no traceback, no endless line, no command."""

import gzip
import io
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from archives import blocks, entries, zipped
from broken import record_of
from loopback_samples import INFO, METADATA, SDIST, TOP, WHEEL, good_wheel, make_sdist, sdist_files
from roadworthy.gate.check import check
from test_pypi import ask_port

SMALL = {**sdist_files(), f"{TOP}/noise": b"noise"}
WHEEL_BYTES, TAR_BYTES = good_wheel(), blocks(files=SMALL) + bytes(1024)
GZIP_BYTES = gzip.compress(TAR_BYTES)
bounded = settings(max_examples=100, deadline=None, derandomize=True)
# Where something is changed, counted from the end for what is negative; how many bytes go; and what comes in.
changes = st.lists(
    st.tuples(st.integers(-700, 700), st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=4
)
sizes = st.sampled_from([0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)
names = st.one_of(
    texts.filter(bool), st.sampled_from(["/", "..", "a/../..", "CON", f"{INFO}/WHEEL", f"{INFO}/", "a/", "a//b"])
)
FIELDS = """Name Version Requires-Dist Classifier Project-URL Author-email License-File Dynamic Summary Keywords X
Metadata-Version Description-Content-Type Requires-Python License-Expression Provides-Extra Obsoletes-Dist"""
fields = st.lists(st.tuples(st.sampled_from(FIELDS.split()), texts), max_size=5)


def changed(content: bytes, made: list[tuple[int, int, bytes]]) -> bytes:
    """Return bytes with some of them replaced."""
    for place, length, new in made:
        start = place % (len(content) + 1)
        content = content[:start] + new + content[start + length :]
    return content


def judge(file: str, content: bytes) -> None:
    """Let the gate and PyPI's port judge a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(content)
        for finding in check([path]):
            assert finding.what.isprintable()
            assert finding.rule
            assert finding.remedy
        ask_port(path)


@bounded
@given(changes)
def test_a_changed_wheel_is_judged(made: list[tuple[int, int, bytes]]) -> None:
    judge(WHEEL, changed(WHEEL_BYTES, made))


@bounded
@given(st.integers(0, 4), st.integers(4, 40), sizes)
def test_a_wheel_with_another_number_in_a_record_is_judged(nth: int, offset: int, number: int) -> None:
    for signature in (b"PK\3\4", b"PK\1\2", b"PK\5\6"):
        places = [place for place in range(len(WHEEL_BYTES)) if WHEEL_BYTES.startswith(signature, place)]
        start = places[nth % len(places)] + offset
        judge(WHEEL, WHEEL_BYTES[:start] + struct.pack("<L", number) + WHEEL_BYTES[start + 4 :])


@bounded
@given(st.binary(max_size=60), st.integers(0, 3), st.integers(0, 0xFFFF))
def test_a_wheel_with_any_further_field_is_judged(extra: bytes, system: int, mode: int) -> None:
    def change(entry: zipfile.ZipInfo) -> None:
        entry.extra, entry.create_system, entry.external_attr = extra, system, mode << 16

    judge(WHEEL, zipped(entries(), change))


@bounded
@given(st.dictionaries(names, st.binary(max_size=20), max_size=6))
def test_a_wheel_with_any_names_is_judged(files: dict[str, bytes]) -> None:
    judge(WHEEL, zipped({**entries(), **files}))


@bounded
@given(fields, texts)
def test_any_metadata_is_judged(told: list[tuple[str, str]], description: str) -> None:
    text = "".join(f"{name}: {value}\n" for name, value in told) + METADATA + description
    judge(WHEEL, good_wheel({f"{INFO}/METADATA": text.encode("utf-8", "surrogatepass")}))


@bounded
@given(st.sampled_from(["RECORD", "WHEEL", "entry_points.txt", "METADATA"]), st.one_of(st.binary(), texts))
def test_any_file_of_metadata_is_judged(name: str, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    judge(WHEEL, zipped({**entries(), f"{INFO}/{name}": data}))
    if name != "RECORD":
        files = {**entries(), f"{INFO}/{name}": data}
        judge(WHEEL, zipped({**files, f"{INFO}/RECORD": record_of(files, f"{INFO}/RECORD")}))


@bounded
@given(changes)
def test_a_changed_gzip_file_is_judged(made: list[tuple[int, int, bytes]]) -> None:
    judge(SDIST, changed(GZIP_BYTES, made))


@bounded
@given(changes)
def test_a_changed_tar_file_is_judged(made: list[tuple[int, int, bytes]]) -> None:
    judge(SDIST, gzip.compress(changed(TAR_BYTES, made), 1))


@bounded
@given(st.lists(st.tuples(names, st.sampled_from(b"0123456SLKgxX7\0"), st.integers(-5, 2**40), texts), max_size=5))
def test_any_member_of_an_sdist_is_judged(members: list[tuple[str, int, int, str]]) -> None:
    stream = io.BytesIO()
    for name, kind, size, text in members:
        entry = tarfile.TarInfo(f"{TOP}/{name}")
        entry.type, entry.size, entry.linkname = bytes([kind]), max(size, len(text.encode())), text
        entry.pax_headers = {"comment": text, "size": str(size)} if size % 2 else {}
        stream.write(entry.tobuf(tarfile.PAX_FORMAT) + text.encode().ljust(512, b"\0")[:512])
    judge(SDIST, gzip.compress(blocks(stream.getvalue(), files=SMALL) + bytes(1024), 1))


@bounded
@given(st.binary(max_size=200))
def test_any_bytes_are_judged(content: bytes) -> None:
    judge(WHEEL, content)
    judge(SDIST, content)
    judge(SDIST, gzip.compress(content, 1))
    judge(SDIST, make_sdist({f"{TOP}/PKG-INFO": content}))
