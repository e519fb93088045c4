import html
import io
import re
import time
import zipfile
from collections.abc import Callable
from string import Formatter
from typing import Any

import pytest

from broken import Files
from helpers import PROJECT
from loopback_provocations import PROVOCATIONS
from loopback_samples import (
    INFO,
    SDIST,
    TOP,
    WHEEL,
    Attempt,
    good_wheel,
    make_sdist,
    make_wheel,
    sdist_files,
    wheel_files,
)
from rejections import BROKEN
from workshop.loopback.refusals import REFUSALS, Refusal

Form = dict[str, Any]


def pattern(words: str) -> str:
    """Return what matches a refusal's words, whatever is filled in."""
    parts = Formatter().parse(words)
    return "".join(re.escape(text) + (".+" if field is not None else "") for text, field, _, _ in parts)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_each_refusal_is_answered_with_its_status_code_and_words(one: Attempt, refusal: Refusal) -> None:
    response = PROVOCATIONS[refusal.name](one)
    assert response.status_code == refusal.status
    if refusal.code:
        (error,) = response.json()["errors"]
        assert error["code"] == refusal.code
        assert re.fullmatch(pattern(refusal.words), error["description"])
    else:
        assert re.fullmatch(pattern(refusal.words), response.reason)


def test_nothing_is_provoked_that_is_not_in_the_table() -> None:
    assert PROVOCATIONS.keys() == REFUSALS.keys()


def test_each_refusal_says_where_it_is_in_the_source_of_pypi() -> None:
    for refusal in REFUSALS.values():
        for source in refusal.source.split("; "):
            assert re.match(r"warehouse/[a-z_/0-9]+\.py, \w+", source)


def form(**fields: str | None) -> Callable[[Attempt, Form], object]:
    return lambda _, sent: sent.update(fields)


# What PyPI looks at, in its order, with what it says of it.
ORDER: list[tuple[str, Callable[[Attempt, Form], object]]] = [
    ("Unknown protocol version.", form(protocol_version="2")),
    ("'-' is an invalid value for Name.", form(name="-")),
    ("Invalid value for pyversion.", form(pyversion=None)),
    ("'MITT' is invalid for 'license-expression'.", form(license_expression="MITT")),
    ("Invalid API Token: project-scoped token is not valid", form(name="other")),
    ("The description failed to render", form(description=BROKEN, description_content_type="text/x-rst")),
    ("Invalid distribution file.", lambda one, _: setattr(one, "content_type", "image/png")),
    ("File too large.", lambda one, _: setattr(one.index, "file_limit", 1)),
    ("The digest supplied does not match", form(sha256_digest="a" * 64)),
]


@pytest.mark.parametrize("step", range(len(ORDER)), ids=[words for words, _ in ORDER])
def test_of_several_mistakes_the_first_in_the_order_of_pypi_is_told(one: Attempt, step: int) -> None:
    sent: Form = {}
    for _, spoil in reversed(ORDER[step:]):
        spoil(one, sent)
    answer = one.send(WHEEL.replace("any", "linux_x86_64"), b"hello", **sent)
    assert answer.reason.startswith(ORDER[step][0])


def test_what_is_in_the_file_is_looked_at_before_the_name_for_which_system_it_is(one: Attempt) -> None:
    file = WHEEL.replace("any", "linux_x86_64")
    assert one.send(file, b"hello").reason == "Invalid distribution file. File is not a zipfile"
    assert "unsupported platform tag" in one.send(file, good_wheel()).reason


def test_a_limit_is_the_projects(one: Attempt) -> None:
    one.index.file_limit = len(good_wheel()) - 1
    assert one.wheel().reason.startswith(f"File too large. Limit for project '{PROJECT.name}' is 0 MB. See /project-")


def test_a_path_is_no_name_of_a_file(one: Attempt) -> None:
    assert one.send(f"dist/{WHEEL}", good_wheel()).reason == "Cannot upload a file with '/' or '\\' in the name."
    refused = one.wheel(filetype="sdist", pyversion="source").reason
    assert refused.startswith("Invalid file extension: Extension .whl is invalid for filetype sdist.")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "text/plain"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
        ("text/plain", "text/plain"),
    ],
)
def test_the_words_are_in_the_status_line_and_in_the_body(one: Attempt, accept: str | None, kind: str) -> None:
    headers = {"Accept": accept}
    answer = one.post("/legacy/", data={":action": "file_upload"}, headers=headers)
    words = REFUSALS["no-identity"].words
    assert (answer.status_code, answer.reason) == (403, words)
    assert answer.headers["Content-Type"].split(";")[0] == kind
    assert words in answer.text
    assert answer.text.count(words) > 1 or kind == "application/json"


def test_letters_that_a_status_line_cannot_have_are_only_in_the_body(one: Attempt) -> None:
    answer = one.wheel(name="one → other")
    assert answer.reason.startswith("'one ? other' is an invalid value for Name.")
    assert "one → other" in html.unescape(answer.text)


def test_words_are_no_markup_in_a_body_that_is(one: Attempt) -> None:
    answer = one.wheel(name="<b>")
    assert "<b>" in answer.reason
    assert "<b>" not in answer.text


def test_words_are_on_one_line(one: Attempt) -> None:
    answer = one.wheel(requires_dist=["foo >"])
    assert answer.status_code == 400
    assert answer.reason.startswith("'foo >' is invalid for 'requires-dist'")
    assert answer.reason.endswith("for more information.")


def test_of_two_wrong_fields_the_more_important_is_told(one: Attempt) -> None:
    assert "is an invalid value for Name" in one.wheel(name="-", sha256_digest="abc").reason
    assert "local versions" in one.wheel(version="0.1.0+local", classifiers=["Pyhton"]).reason
    assert "'Pyhton' is not a valid classifier" in one.wheel(summary="x" * 600, classifiers=["Pyhton"]).reason


def test_what_old_tools_put_in_the_place_of_nothing_is_nothing(one: Attempt) -> None:
    assert one.wheel(home_page="UNKNOWN", author_email=" UNKNOWN ").ok


def test_the_same_content_under_another_name_exists(one: Attempt) -> None:
    assert one.wheel().ok
    answer = one.send(WHEEL.replace("py3", "py2.py3"), good_wheel())
    assert answer.reason.startswith("File already exists (")


def test_the_same_upload_again_is_taken_even_if_the_release_is_closed(one: Attempt) -> None:
    assert one.wheel().ok
    before = dict(one.index.files)
    one.index.now = lambda: time.time() + 15 * 24 * 3600
    assert one.wheel().ok
    assert one.index.files == before


def test_a_release_is_open_for_14_days_from_its_first_file(one: Attempt) -> None:
    one.index.now = lambda: 1_000_000.0
    assert one.wheel().ok
    one.index.now = lambda: 1_000_000.0 + 14 * 24 * 3600
    assert one.sdist().ok
    one.index.now = lambda: 1_000_000.0 + 14 * 24 * 3600 + 1
    assert one.send(WHEEL.replace("py3", "py2"), make_wheel({**wheel_files(), f"{INFO}/RECORD": b""})).reason == (
        REFUSALS["closed-release"].words
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("metadata_version", "9.9", "'9.9' is not a valid metadata version. See"),
        ("metadata_version", None, "None is not a valid metadata version. See"),
        ("version", None, "'version' is a required field. See"),
        ("version", "zero", "'zero' is invalid for 'version'. See"),
        ("requires_python", "three", "'three' is invalid for 'requires-python'. See"),
        (
            "requires_dist",
            ["foo @ https://example.com"],
            "Can't have direct dependency: foo @ https://example.com. See",
        ),
        (
            "provides_dist",
            ["foo @ https://example.com"],
            "Can't have direct dependency: 'foo @ https://example.com'. See",
        ),
        ("provides_dist", ["foo >"], "'foo >' is invalid: "),
        ("home_page", "example", "'example' is not a valid url. See"),
        ("download_url", "example", "'example' is not a valid url. See"),
        ("maintainer_email", "nobody@nowhere", "'nobody@nowhere' is not a valid email address: "),
    ],
)
def test_the_metadata_is_read_as_strictly_as_pypi_does(
    one: Attempt, field: str, value: str | list[str] | None, words: str
) -> None:
    assert one.wheel(**{field: value}).reason.startswith(words)


@pytest.mark.parametrize("platform", ["macosx_14_4_arm64", "macosx_27_0_arm64", "linux_aarch64", "manylinux_2_17_mips"])
def test_a_system_that_pypi_does_not_know_is_refused(one: Attempt, platform: str) -> None:
    answer = one.send(WHEEL.replace("any", platform), good_wheel())
    assert answer.reason.endswith(f"has an unsupported platform tag '{platform}'.")


@pytest.mark.parametrize("platform", ["macosx_10_12_x86_64.macosx_11_0_arm64", "musllinux_1_2_aarch64", "win_arm64"])
def test_a_system_that_pypi_knows_is_taken(one: Attempt, platform: str) -> None:
    assert one.send(WHEEL.replace("any", platform), good_wheel()).ok


def test_a_zip_as_sdist_is_refused_for_its_name(one: Attempt) -> None:
    answer = one.send(SDIST.replace(".tar.gz", ".zip"), good_wheel(), filetype="sdist", pyversion="source")
    assert answer.reason == f"Filename '{SDIST.replace('.tar.gz', '.zip')}' is invalid, should be '{SDIST}'."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: files.update({"a\x1b.py": b""}), "Invalid character in filename"),
        (lambda files: files.update({"../a.py": b""}), None),
    ],
    ids=["a control character", "a name that leads out"],
)
def test_only_what_pypi_does_not_take_is_refused(
    one: Attempt, change: Callable[[Files], object], words: str | None
) -> None:
    files = {**wheel_files(), f"{INFO}/RECORD": b""}
    change(files)
    answer = one.send(WHEEL, make_wheel(files))
    assert answer.ok if words is None else words in answer.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [(wheel_files()[f"{INFO}/WHEEL"], "Duplicate filename in local headers"), (b"", "Mis-matched data size")],
    ids=["the same", "other content"],
)
def test_a_name_that_is_twice_in_a_wheel_is_refused(one: Attempt, content: bytes, words: str) -> None:
    stream = io.BytesIO(good_wheel())
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(f"{INFO}/WHEEL", content)
    answer = one.send(WHEEL, stream.getvalue())
    assert f"ZIP archive not accepted: {words}." in answer.reason


def test_each_release_may_have_an_sdist(one: Attempt) -> None:
    assert one.sdist().ok
    other = make_sdist({**sdist_files(), f"{TOP}/more": b""})
    assert one.send(SDIST.replace("0.1.0", "0.2.0"), other, version="0.2.0").ok
