import json
import os
import re
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from twine.commands import check as twine
from twine.exceptions import InvalidDistribution

from archives import ARCHIVES
from broken import Files, repack_sdist, repack_wheel
from corpus import CORPUS, Release
from helpers import PROJECT, run
from loopback_samples import INFO, METADATA, WHEEL, good_wheel
from native_cases import CASES
from roadworthy.building import toolchain
from roadworthy.gate import contents, pypi
from roadworthy.gate.check import RULES, check, expect
from roadworthy.gate.model import Artefact, Expectations, Finding
from roadworthy.gate.rules import entries
from roadworthy.terminal import problem, run_main

SCRIPT = ("-m", "roadworthy", "check")


@pytest.fixture(scope="module")
def facts() -> Expectations:
    """What this project expects of what this machine builds, but for the wheels of Pythons without a lock."""
    found = expect(PROJECT, [toolchain.host_triple(PROJECT)])
    return replace(found, expected=tuple(name for name in found.expected if "t-" not in name))


@pytest.fixture
def release(dist: Path, tmp_path: Path) -> Release:
    """A copy of the good release, as far as the facts here go."""
    shutil.copytree(dist, tmp_path / "good", ignore=shutil.ignore_patterns("*t-*"))
    folder = Path(shutil.copytree(tmp_path / "good", tmp_path / "dist"))
    (wheel,), (sdist,) = folder.glob("*-abi3-*.whl"), folder.glob("*.tar.gz")
    return Release(folder, wheel, sdist)


def test_the_good_release_is_accepted(dist: Path) -> None:
    assert check([dist], expect(PROJECT, [toolchain.host_triple(PROJECT)])) == []


def test_what_twine_check_says_stops_a_release_of_ones_own_and_is_a_warning_for_others(
    release: Release, facts: Expectations
) -> None:
    CORPUS["an unknown field"][1](release)
    levels = [
        {one.level for one in check([release.folder], whose) if one.rule == "twine-check"} for whose in (facts, None)
    ]
    assert levels == [{"error"}, {"warning"}]


@pytest.mark.parametrize(
    "kind", [None, "text/markdown; variant=GFM", "text/plain", "text/x-rst", "Text/X-RST ;charset=UTF-8", "a"]
)
def test_the_gate_says_of_a_description_what_twine_itself_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str | None
) -> None:
    for text in ("", "UNKNOWN\n", "# Right\n", ".. nosuch::\n", "`x\n"):
        fields = METADATA.replace("text/markdown", kind) if kind else re.sub("(?m)^Desc.*\n", "", METADATA)
        path = tmp_path / WHEEL
        path.write_bytes(good_wheel({f"{INFO}/METADATA": f"{fields.partition('# ')[0]}{text}".encode()}))
        caplog.clear()
        try:
            failed = twine.check([str(path)], strict=True)
            said = [record.getMessage() for record in caplog.records]
        except InvalidDistribution:
            failed, said = True, []
        with Artefact(path) as artefact:
            told = list(contents.twine_check.check(artefact))
            refused = any(pypi.judge_release(artefact))
        # What is no metadata to twine, PyPI refuses too, and other rules tell that.
        assert failed == bool(told or refused)
        texts = sorted(each.split("PyPI.\n")[-1].split() for each in said)
        assert sorted(re.sub("twine: (.*render: )?", "", each, count=1).split() for each in told) == texts


def test_a_description_is_rendered_once_for_all_files_of_a_release(tmp_path: Path) -> None:
    metadata = METADATA.replace("text/markdown", "text/x-rst").encode()
    for build in ("", "-1", "-2"):
        (tmp_path / WHEEL.replace("-py3", f"{build}-py3")).write_bytes(good_wheel({f"{INFO}/METADATA": metadata}))
    pypi.why_not_rendered.cache_clear()
    check([tmp_path])
    assert pypi.why_not_rendered.cache_info().misses == 1


def test_a_library_is_unpacked_once(release: Release) -> None:
    with Artefact(release.wheel) as artefact:
        assert artefact.digests
        artefact.archive.close()
        assert [library.file for library in artefact.libraries] == [release.native]


@pytest.mark.parametrize("name", CORPUS)
def test_each_mistake_is_refused_for_the_right_reason(release: Release, facts: Expectations, name: str) -> None:
    rules, breakage = CORPUS[name]
    breakage(release)
    findings = check([release.folder], facts)
    assert {finding.rule for finding in findings} == set(rules.split()), findings
    assert all(finding.what and finding.remedy for finding in findings)


def test_the_corpus_has_a_mistake_for_every_rule() -> None:
    # What is lost from one release to the next is in test_compare.py.
    elsewhere = {"release-build", *(rule.name for rule in RULES.values() if rule.applies_to == "update")}
    native = {rule for rule, *_ in CASES.values() if rule}
    assert {rules.split()[0] for rules, _ in CORPUS.values()} | native == entries().keys() - elsewhere


def test_there_are_enough_of_both() -> None:
    small = [rule for rule, *_ in (*ARCHIVES.values(), *CASES.values())]
    assert len(CORPUS) + sum(rule is not None for rule in small) >= 500
    assert small.count(None) >= 90


# What is put in place of a line of the metadata, and the rule that refuses it, if one does: PyPI counts characters.
NOT_ASCII: dict[str, tuple[str, str, str | None]] = {
    "a Chinese summary": ("Summary: .*", f"Summary: {'汉' * 512}", None),
    "a Chinese summary that is too long": ("Summary: .*", f"Summary: {'汉' * 513}", "summary-length"),
    "a summary beyond the first plane": ("Summary: .*", f"Summary: {'🦀' * 512}", None),
    "a summary that is no UTF-8": ("Summary: .*", "Summary: \udce9", "metadata-valid"),
    "a label": ("^", f"Project-URL: {'é' * 32}, https://example.com\n", None),
    "a label that is too long": ("^", f"Project-URL: {'é' * 33}, https://example.com\n", "project-urls"),
    "a host": ("^", "Project-URL: Home, https://bücher.example/weiß?ä=ö#ü\n", None),
    "a host in Japanese": ("^", "Home-page: http://例え.example/\n", None),
    "an address without a scheme": ("^", "Project-URL: Home, bücher.example\n", "project-urls"),
    "an address of mail": ("^", "Project-URL: Post, mailto:ü@bücher.example\n", "project-urls"),
    "an e-mail address": ("^", "Author-email: Jörg Müller <jörg@bücher.example.org>\n", None),
    "a name with a comma": ("^", "Author-email: Müller, Jörg <joerg@example.org>\n", None),
    "two maintainers": ("^", "Maintainer-email: Ü <u@example.org>, 李 <li@example.org>\n", None),
    "an e-mail address with two dots": ("^", "Author-email: ü@bücher..example.org\n", "email-addresses"),
    "an author": ("Author: .*", "Author: Ōe Kenzaburō, Þórr", None),
    "keywords": ("Keywords: .*", "Keywords: straße,слово", None),
    "a classifier": ("^", "Classifier: Natural Language :: Français\n", "classifiers-known"),
    "a requirement": ("^", "Requires-Dist: bücher\n", "metadata-valid"),
    "a licence file that is not there": ("License-File: LICENSE", "License-File: lizenz-é", "license-files-exist"),
    "a description": ("$", "\n日本語の説明\n", None),
}


@pytest.mark.parametrize("name", NOT_ASCII)
def test_metadata_that_is_not_ascii_is_judged_as_pypi_judges_it(
    release: Release, facts: Expectations, name: str
) -> None:
    old, new, rule = NOT_ASCII[name]
    release.change_all_metadata(old, new)
    findings = check([release.folder], facts)
    rules = {rule} - {None}
    # Nobody has declared it.
    assert {(finding.file, finding.rule) for finding in findings if finding.rule != "declared-metadata"} == {
        (str(path), rule) for path in (release.wheel, release.sdist) for rule in rules
    }


def in_a_checkout_with(facts: Expectations, files: Files, folder: Path) -> Expectations:
    """Return the same for a checkout that has other files."""
    for name in facts.sdist.files - files.keys():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT.root / name, folder / name)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return replace(facts, root=folder, sdist=facts.sdist._replace(files=facts.sdist.files | files.keys()))


def test_file_names_that_are_not_ascii_are_taken(release: Release, facts: Expectations, tmp_path: Path) -> None:
    names = {"lizenz-é", "許可", "with\x85line"}
    facts = in_a_checkout_with(facts, dict.fromkeys(names, b""), tmp_path / "checkout")
    release.change_all_metadata("License-File: LICENSE\n", "License-File: LICENSE\nLicense-File: lizenz-é\n")
    wheel, sdist = ({f"{top}/{name}": b"" for name in names} for top in (f"{release.info}/licenses", release.top))
    repack_wheel(release.wheel, release.folder, lambda files: files.update(wheel))
    repack_sdist(release.sdist, release.folder, lambda files: files.update(sdist))
    findings = check([release.folder], facts)
    # The line feed of old mainframes cannot be printed, and is no end of a line in RECORD.
    assert {finding.rule for finding in findings} == {"safe-members"}
    assert len(findings) == 2


INNER = '[package]\nname = "inner"\nversion = "1.0.0"\nedition = "2021"\n'
LIBC = INNER.replace("inner", "libc").replace("1.0.0", "0.2.999")
# Dependencies as packages have them: what is replaced in Cargo.toml, and the files that are added.
CRATES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "for one system": ({"[features]": "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\n[features]"}, {}),
    "optional": ({"[dependencies]": '[dependencies]\nlibc = { version = "0.2", optional = true }'}, {}),
    "for the build": ({"[features]": '[build-dependencies]\nlibc = "0.2"\n\n[features]'}, {}),
    "for tests": ({"[features]": '[dev-dependencies]\nlibc = "0.2"\n\n[features]'}, {}),
    "renamed": ({"[dependencies]": '[dependencies]\nsystem = { package = "libc", version = "0.2" }'}, {}),
    "inherited": (
        {
            "[dependencies]": "[dependencies]\nlibc.workspace = true",
            "[features]": '[workspace.dependencies]\nlibc = "0.2"\n\n[features]',
        },
        {},
    ),
    "a version that is inherited": (
        {
            'version = "0.1.0"\nedition': "version.workspace = true\nedition",
            "[features]": '[workspace.package]\nversion = "0.1.0"\n\n[features]',
        },
        {},
    ),
    "in the sdist": (
        {"[dependencies]": "[dependencies]\ninner = { path = 'inner' }"},
        {"inner/Cargo.toml": INNER, "inner/src/lib.rs": ""},
    ),
    "patched by one in the sdist": (
        {
            "[dependencies]": '[dependencies]\nlibc = "0.2"',
            "[features]": "[patch.crates-io]\nlibc = { path = 'inner' }\n\n[features]",
        },
        {"inner/Cargo.toml": LIBC, "inner/src/lib.rs": ""},
    ),
}


def change_crates(release: Release, texts: dict[str, str], added: dict[str, str], *, locked: bool) -> None:
    """Change the sdist's Cargo.toml and add files, and, with `locked`, let cargo bring its Cargo.lock up to date."""

    def change(files: Files) -> None:
        manifest = files[f"{release.top}/Cargo.toml"].decode()
        for old, new in texts.items():
            assert old in manifest
            manifest = manifest.replace(old, new, 1)
        files.update({f"{release.top}/{file}": text.encode() for file, text in added.items()})
        files[f"{release.top}/Cargo.toml"] = manifest.encode()
        if locked:
            for file, content in files.items():
                (release.folder.parent / file).parent.mkdir(parents=True, exist_ok=True)
                (release.folder.parent / file).write_bytes(content)
            folder = release.folder.parent / release.top
            assert run("cargo", "metadata", "--offline", "--quiet", "--format-version=1", cwd=folder).returncode == 0
            files[f"{release.top}/Cargo.lock"] = (folder / "Cargo.lock").read_bytes()

    release.change_sdist(change)


def about_crates(release: Release, facts: Expectations) -> list[str]:
    """Return what is wrong with the crates of the sdist."""
    return [finding.what for finding in check([release.sdist], facts) if finding.rule == "locked-crates"]


@pytest.mark.parametrize("name", CRATES)
def test_crates_are_judged_as_cargo_judges_them(release: Release, facts: Expectations, name: str) -> None:
    texts, added = CRATES[name]
    change_crates(release, texts, added, locked=True)
    assert about_crates(release, facts) == []
    if "libc" in str(texts) or added:
        change_crates(release, texts, added, locked=False)
        assert about_crates(release, facts) == ["Cargo.lock does not fit Cargo.toml"]


def test_a_crate_outside_the_sdist_is_refused(release: Release, facts: Expectations, tmp_path: Path) -> None:
    (tmp_path / "inner" / "src").mkdir(parents=True)
    (tmp_path / "inner" / "Cargo.toml").write_text(INNER, encoding="utf-8")
    (tmp_path / "inner" / "src" / "lib.rs").touch()

    texts = {"[dependencies]": f"[dependencies]\ninner = {{ path = '{tmp_path / 'inner'}' }}"}
    change_crates(release, texts, {}, locked=True)
    told = f"the crate inner lies outside the sdist: {tmp_path / 'inner' / 'Cargo.toml'}"
    assert about_crates(release, facts) == [told]


@pytest.mark.parametrize("missing", ["cargo", "network"])
def test_what_cargo_cannot_say_is_told_and_refuses_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    release: Release,
    facts: Expectations,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
) -> None:
    if missing == "cargo":
        monkeypatch.setenv("PATH", str(tmp_path))
        reason = "cargo is not on PATH"
    else:
        monkeypatch.setenv("CARGO_HOME", str(tmp_path))
        monkeypatch.setenv("CARGO_HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("CARGO_NET_RETRY", "0")
        reason = "cargo cannot read the package: error: failed to get `"
    assert about_crates(release, facts) == []
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{release.sdist.name}: whether Cargo.lock fits Cargo.toml is not judged: {reason}")
    CORPUS["a crate from git"][1](release)
    (told,) = about_crates(release, facts)
    assert re.match(r"the crate [\w-]+ is not published: git\+https://", told)


def test_an_sbom_that_cargo_cannot_make_is_told_and_refuses_nothing(
    release: Release,
    facts: Expectations,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    contents.expect_sbom.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {finding.rule for finding in check([release.wheel], facts)} == set()
    assert f"{release.wheel.name}: the SBOM is not judged" in capsys.readouterr().err


def test_a_debug_build_is_refused(release: Release, facts: Expectations) -> None:
    (developed,) = (PROJECT.root / "python").rglob("_core.abi3.so")
    release.change_wheel(lambda files: files.update({release.native: developed.read_bytes()}))
    findings = check([release.folder], facts)
    assert {finding.what for finding in findings if finding.rule == "release-build"} == {
        f"{release.native} has debugging symbols",
        f"{release.native} is a debug build",
    }


def test_all_problems_of_all_files_are_told_in_one_run(release: Release) -> None:
    for name in ("no SBOM", "a classifier with a typo"):
        CORPUS[name][1](release)
    CORPUS["an untracked file in the sdist"][1](release)
    (release.folder / "notes.txt").touch()
    refused = run(sys.executable, *SCRIPT, release.folder, "--host")
    assert refused.returncode == 1
    for words in (
        "[classifiers-known]",
        "[tracked-files]",
        "[file-name]",
        "commit, and build anew",
        "correct it in pyproject.toml",
    ):
        assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_findings_can_be_read_by_machines(release: Release) -> None:
    CORPUS["no stub"][1](release)
    refused = run(sys.executable, *SCRIPT, release.folder, "--host", "--json")
    assert refused.returncode == 1
    (finding,) = (each for each in json.loads(refused.stdout) if each["rule"] != "complete-set")
    assert (finding["file"], finding["rule"]) == (str(release.wheel), "package-files")


def test_github_gets_annotations_and_a_summary(release: Release, tmp_path: Path) -> None:
    CORPUS["no stub"][1](release)
    summary = tmp_path / "summary.md"
    refused = run(
        sys.executable, *SCRIPT, release.folder, "--host", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
    )
    assert "\n::error title=package-files::" in refused.stdout
    assert "| package-files |" in summary.read_text(encoding="utf-8")


def test_the_full_set_is_expected_without_host(dist: Path) -> None:
    refused = run(sys.executable, *SCRIPT, dist)
    assert refused.returncode == 1
    assert "missing: ferrous_wheel-0.1.0-cp310-abi3-win_amd64.whl [complete-set]" in refused.stderr


def test_others_artefacts_need_not_be_ours(dist: Path, tmp_path: Path, wheel: Path) -> None:
    shutil.copy(wheel, tmp_path / wheel.name.replace("0.1.0-cp310", "0.1.0-1-cp310"))
    assert run(sys.executable, *SCRIPT, tmp_path, "--foreign").returncode == 0
    assert run(sys.executable, *SCRIPT, tmp_path, "--host").returncode == 1
    assert dist.is_dir()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root can read everything")
def test_a_file_that_may_not_be_read_is_a_finding(release: Release, facts: Expectations) -> None:
    release.wheel.chmod(0)
    findings = check([release.folder], facts)
    remedy = entries()["readable-archive"].remedy
    assert Finding(str(release.wheel), "readable-archive", "cannot be read: Permission denied", remedy) in findings


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("a-1-cp3x-abi3-win_amd64.whl", "stable-abi"),
        ("a-1-cp310-abi3-win_amd64.whl", "wheel-file"),
        ("a-1-cp310-abi3-manylinux2024_x86_64.whl", "platform-tag"),
    ],
)
def test_a_tag_that_cannot_be_read_is_a_finding(tmp_path: Path, name: str, rule: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("a-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: hello\n")
    assert rule in {finding.rule for finding in check([tmp_path], None)}


def test_a_problem_with_brackets_in_it_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise problem("words[1] and [/red] and \x1b[2J", "none\rat all")

    with pytest.raises(SystemExit, match="1"):
        run_main(main)
    assert "problem: words[1] and [/red] and \\x1b[2J\n  none\\rat all\n" in capsys.readouterr().err


def test_a_hostile_name_does_not_reach_the_terminal(release: Release) -> None:
    CORPUS["a control character in a wheel"][1](release)
    refused = run(sys.executable, *SCRIPT, release.folder, "--host")
    assert "\x1b" not in refused.stderr
    assert "\\x1b[31m" in refused.stderr
