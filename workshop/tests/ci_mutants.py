"""Mistakes that people make in a workflow like CI.yml, each with the rule that notices it; and changes that are none.

Each mistake names the row of docs/troubleshooting.md that it stands for: A workflow, I installation, L Linux and macOS, M
maturin, O trusted publishing, P PyPI, R supply chain, S sdist, T changelog, U upload, Y Python's ABI, D development.
"""
# ruff: noqa: E501 - a table: a mistake is a line

import re
from collections.abc import Callable
from dataclasses import dataclass

Edit = Callable[[str], str]


def written_out(text: str) -> str:
    """Return a workflow with what stands at an anchor (`- &name`, `key: &name`) at each of its aliases, of lists too."""
    blocks = {}
    for found in re.finditer(r"(?m)^( *)- &([\w-]+).*\n((?:\1  .*\n)+)", text):
        blocks[found[2]] = re.sub(r"^( *)  ", r"\1- ", found[3])
    text = re.sub(r"(?m)^( *)- &([\w-]+).*\n(?:\1  .*\n)+", lambda found: blocks[found[2]], text)
    text = re.sub(r"(?m)^ *- \*([\w-]+)\n", lambda found: blocks[found[1]], text)
    for found in re.finditer(r"(?m)^( *)([\w-]+): &([\w-]+)( \|)?\n((?:\1  .*\n)+)", text):
        if not found[4] and found[2] != "strategy":
            text = text.replace(f"{found[2]}: &{found[3]}\n", f"{found[2]}:\n")
            text = re.sub(rf"(?m)^{found[1]}{found[2]}: \*{found[3]}\n", f"{found[1]}{found[2]}:\n{found[5]}", text)
    return text


def within(text: str, job: str, edit: "re.Pattern[str] | str", new: str) -> str:
    """Return the text with a replacement in one job, which must be possible exactly once.

    Raises:
        ValueError: What is to be replaced is not there, or more than once.
    """
    found = re.search(rf"^  {job}:\n(?:(?:    .*| *|  #.*)\n)*", text, re.MULTILINE)
    if not found:
        raise ValueError(f"there is no job {job}")
    return text[: found.start()] + once(found[0], edit, new) + text[found.end() :]


def once(text: str, edit: "re.Pattern[str] | str", new: str) -> str:
    """Return the text with a replacement, which must be possible exactly once."""
    pattern = re.compile(re.escape(edit)) if isinstance(edit, str) else edit
    count = len(pattern.findall(text))
    if count != 1:
        raise ValueError(f"{pattern.pattern!r} stands there {count} times")
    return pattern.sub(lambda _: new, text)


@dataclass(frozen=True)
class Mutant:
    """A mistake: what was done, the row of failures that it stands for, and the rule that it breaks."""

    name: str
    row: str
    rule: str
    edit: Edit


def at(job: str, old: "re.Pattern[str] | str", new: str) -> Edit:
    """Return an edit of one job."""
    return lambda text: within(text, job, old, new)


def top(old: "re.Pattern[str] | str", new: str) -> Edit:
    """Return an edit of what stands there once."""
    return lambda text: once(text, old, new)


def everywhere(old: str, new: str) -> Edit:
    """Return an edit of all the places."""
    return lambda text: text.replace(old, new)


def both(*edits: Edit) -> Edit:
    """Return several edits as one."""

    def edit(text: str) -> str:
        for each in edits:
            text = each(text)
        return text

    return edit


def swapped(one: str, other: str) -> Edit:
    """Return an edit that exchanges two jobs, with the comments above them."""

    def edit(text: str) -> str:
        blocks = re.split(r"(?m)^(?=(?:  #.*\n)*  [a-z-]+:\n    name:)", text)
        first, second = (next(i for i, block in enumerate(blocks) if f"  {name}:\n" in block) for name in (one, other))
        blocks[first], blocks[second] = blocks[second], blocks[first]
        return "".join(blocks)

    return edit


def without_row(job: str, number: int) -> Edit:
    """Return an edit that drops a row of a matrix, whichever platforms there are, from its first line to the next."""

    def edit(text: str) -> str:
        rows = re.findall(r"(?m)^          - (?:target|runner): .*\n(?:            .*\n)*", block_of(text, job))
        return within(text, job, rows[number], "")

    return edit


def block_of(text: str, job: str) -> str:
    """Return the text of a job."""
    return re.split(r"(?m)^  (?=[a-z-]+:\n)", text.split(f"\n  {job}:\n", 1)[1])[0]


def job_more(step: str, granted: str = "permissions: {}") -> Edit:
    """Return an edit that adds a job with one step, for which branch protection waits."""
    lines = f"  extra:\n    name: Extra\n    needs: collect\n    runs-on: ubuntu-24.04\n    timeout-minutes: 9\n    {granted}\n"
    text = f"{lines}    steps:\n{step}\n  # ---- did it arrive?"
    return both(top("  # ---- did it arrive?", text), at("passed", ", collect, verify]", ", collect, verify, extra]"))


PYPI, TEST = "publish-pypi", "publish-testpypi"
PUSHED_TAG = "github.event_name == 'push' && github.ref_type == 'tag'"
GATE = "      - run: make check-dist ALL=1\n"
NEEDS = "needs: [identify, lint, test, collect, verify]"
TAGS = re.compile(r'    tags:\n(?:      - "v.*"\n)+')

# fmt: off
MUTANTS = [
    # --- what starts a run, and what publishes
    Mutant("any tag", "A1", "only_release_tags_start_a_run", top(TAGS, "    tags: ['*']\n")),
    Mutant("any tag that begins with v", "A1", "only_release_tags_start_a_run", top(TAGS, "    tags: ['v*']\n")),
    Mutant("a tag of two numbers", "A1", "only_release_tags_start_a_run", top('- "v[0-9]+.[0-9]+.[0-9]+"\n', '- "v[0-9]+.[0-9]+*"\n')),
    Mutant("no release candidates", "A8", "only_release_tags_start_a_run", top('      - "v[0-9]+.[0-9]+.[0-9]+-rc[0-9]+"\n', "")),
    Mutant("no tags at all", "A3", "only_release_tags_start_a_run", top(TAGS, "")),
    Mutant("every branch", "A11", "only_release_tags_start_a_run", top("      - main\n", '      - "**"\n')),
    Mutant("a release event as well", "A11", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n  release:\n    types: [published]\n")),
    Mutant("pull_request_target", "O10", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n  pull_request_target:\n")),
    Mutant("workflow_run", "A3", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n  workflow_run:\n    workflows: [Release]\n")),
    Mutant("no maintenance lines", "A12", "only_release_tags_start_a_run", top(re.compile(r'      - "\[0-9\]\+\.\[0-9\]\+\.x".*\n'), "")),
    Mutant("a manual run publishes to PyPI", "A2", "jobs_run_at_their_events", at(PYPI, PUSHED_TAG, "github.ref_type == 'tag'")),
    Mutant("every push publishes", "A1", "jobs_run_at_their_events", at(PYPI, PUSHED_TAG, "github.event_name == 'push'")),
    Mutant("the publish job has no condition", "A2", "jobs_run_at_their_events", at(PYPI, re.compile(r"    if: .*\n"), "")),
    Mutant("every manual run publishes to TestPyPI", "A2", "jobs_run_at_their_events", at(TEST, " && inputs.testpypi", "")),
    Mutant("TestPyPI from every push", "A17", "jobs_run_at_their_events", at(TEST, "github.event_name == 'workflow_dispatch' && inputs.testpypi", "github.event_name == 'push'")),
    # --- what has to have gone well before
    *[Mutant(f"publishing does not wait for {job}", "A4", "nothing_follows_what_failed", at(PYPI, NEEDS, NEEDS.replace(f", {job}", ""))) for job in ("lint", "test", "verify")],
    Mutant("publishing waits for the sdist alone", "A4", "nothing_follows_what_failed", at(PYPI, NEEDS, "needs: [identify, sdist]")),
    Mutant("publishing always", "A4", "nothing_follows_what_failed", at(PYPI, "if: github.event_name", "if: always() && github.event_name")),
    Mutant("publishing unless cancelled", "A4", "nothing_follows_what_failed", at(PYPI, f"if: {PUSHED_TAG}", f"if: ${{{{ !cancelled() && {PUSHED_TAG} }}}}")),
    Mutant("publishing after a failure of verify", "A4", "nothing_follows_what_failed", at(PYPI, f"if: {PUSHED_TAG}", f"if: (success() || failure()) && {PUSHED_TAG}")),
    Mutant("TestPyPI does not wait for verify", "A4", "nothing_follows_what_failed", at(TEST, NEEDS, NEEDS.replace(", verify", ""))),
    Mutant("wheels may fail", "A4", "a_row_that_fails_stops_no_other", at("wheels", "    timeout-minutes: 30\n", "    timeout-minutes: 30\n    continue-on-error: true\n")),
    Mutant("verify may fail", "A4", "a_row_that_fails_stops_no_other", at("verify", "    timeout-minutes: 40\n", "    timeout-minutes: 40\n    continue-on-error: true\n")),
    Mutant("the gate may fail", "A4", "nothing_else_stands_there", at("collect", "      - run: make check-dist ALL=1\n", "      - run: make check-dist ALL=1\n        continue-on-error: true\n")),
    Mutant("the first failing wheel ends the others", "A4", "a_row_that_fails_stops_no_other", at("wheels", "fail-fast: false", "fail-fast: true")),
    Mutant("verify without fail-fast: false", "A4", "a_row_that_fails_stops_no_other", at("verify", "      fail-fast: false\n", "")),
    # --- the job that publishes
    Mutant("a checkout beside the identity", "R4", "jobs_do_exactly_their_steps", at(PYPI, "    steps:\n", "    steps:\n      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n")),
    Mutant("a build beside the identity", "R4", "jobs_do_exactly_their_steps", at(PYPI, "      - run: sha256sum", "      - run: make build\n      - run: sha256sum")),
    Mutant("an installation beside the identity", "R4", "jobs_do_exactly_their_steps", at(PYPI, "      - run: sha256sum", "      - run: pip install twine\n      - run: sha256sum")),
    Mutant("the hashes are not compared", "P16", "jobs_do_exactly_their_steps", at(PYPI, "      - run: sha256sum --check --strict SHA256SUMS\n", "")),
    Mutant("the hashes are compared, or not", "P16", "jobs_do_exactly_their_steps", at(PYPI, "--strict SHA256SUMS", "--ignore-missing SHA256SUMS")),
    Mutant("no attestations", "O12", "jobs_do_exactly_their_steps", at(PYPI, re.compile(r"      - uses: astral-sh/attest-action.*\n        with:\n          paths: dist/\*\n"), "")),
    Mutant("wheels alone are attested", "O12", "jobs_do_exactly_their_steps", at(PYPI, "paths: dist/*\n", "paths: dist/*.whl\n")),
    Mutant("trusted publishing where it works", "O5", "jobs_do_exactly_their_steps", at(PYPI, "--trusted-publishing always", "--trusted-publishing automatic")),
    Mutant("trusted publishing is not asked for", "O5", "jobs_do_exactly_their_steps", at(PYPI, " --trusted-publishing always", "")),
    Mutant("wheels alone are published", "A4", "jobs_do_exactly_their_steps", at(PYPI, "always dist/*", "always dist/*.whl")),
    Mutant("the newest uv", "M8", "jobs_do_exactly_their_steps", at(PYPI, "version: 0.12.4", "version: latest")),
    Mutant("a uv by its name alone", "R2", "jobs_do_exactly_their_steps", at(PYPI, re.compile(r" +checksum: .*\n"), "")),
    Mutant("a checksum that is cut", "R2", "jobs_do_exactly_their_steps", at(TEST, re.compile(r"\w(?=\n +enable-cache)"), "")),
    Mutant("another uv than the locked one", "D4", "jobs_do_exactly_their_steps", at(TEST, "version: 0.12.4", "version: 0.12.5")),
    Mutant("a cache beside the identity", "R1", "jobs_do_exactly_their_steps", at(PYPI, "enable-cache: false", "enable-cache: true")),
    Mutant("existing files are passed over", "U1", "jobs_do_exactly_their_steps", at(PYPI, "uv publish --trusted", "uv publish --skip-existing --trusted")),
    Mutant("twine's action passes over existing files", "U1", "jobs_do_exactly_their_steps", at(PYPI, "      - run: uv publish --trusted-publishing always dist/*\n", "      - uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2\n        with:\n          skip-existing: true\n")),
    Mutant("the address of TestPyPI is the repository's secret", "U8", "jobs_do_exactly_their_steps", at(TEST, "vars.PUBLISH_URL", "secrets.PUBLISH_URL")),
    Mutant("PyPI's job publishes to an address", "U7", "jobs_do_exactly_their_steps", at(PYPI, "always dist/*", 'always --publish-url "https://localhost/" dist/*')),
    Mutant("the simple index's address", "U7", "jobs_do_exactly_their_steps", at(TEST, "${{ vars.PUBLISH_URL }}", "https://localhost/simple/")),
    Mutant("the publishing is a reusable workflow", "O3", "nothing_else_stands_there", top("  # ---- did it arrive?", "  publish:\n    name: Publish\n    permissions: {}\n    uses: ./.github/workflows/publish.yml\n\n  # ---- did it arrive?")),
    Mutant("a token", "U8", "jobs_do_exactly_their_steps", at(PYPI, "      - run: uv publish --trusted-publishing always dist/*\n", "      - run: uv publish --trusted-publishing always dist/*\n        env:\n          UV_PUBLISH_TOKEN: ${{ secrets.PYPI_TOKEN }}\n")),
    Mutant("a secret in a test", "U8", "jobs_do_exactly_their_steps", at("lint", "      - run: make lint\n", "      - run: make lint\n        env:\n          TOKEN: ${{ secrets.TOKEN }}\n")),
    # --- environments and rights
    Mutant("the environment is called otherwise", "O1", "environments_are_those_that_the_indexes_know", at(PYPI, "environment: pypi", "environment: release")),
    Mutant("the environment in capitals", "O2", "environments_are_those_that_the_indexes_know", at(PYPI, "environment: pypi\n", "environment: PyPI\n")),
    Mutant("no environment", "A16", "environments_are_those_that_the_indexes_know", at(PYPI, "    environment: pypi\n", "")),
    Mutant("TestPyPI in PyPI's environment", "O13", "environments_are_those_that_the_indexes_know", at(TEST, "environment: testpypi", "environment: pypi")),
    Mutant("a build in the environment", "A15", "environments_are_those_that_the_indexes_know", at("wheels", "    timeout-minutes: 30\n", "    timeout-minutes: 30\n    environment: pypi\n")),
    Mutant("the identity for all jobs", "R4", "rights_are_granted_one_by_one", top("permissions: {}\n\ndefaults", "permissions:\n  contents: read # checkout\n  id-token: write # publishing\n\ndefaults")),
    Mutant("what the repository grants", "R4", "rights_are_granted_one_by_one", top("permissions: {}\n\ndefaults", "defaults")),
    Mutant("all rights", "R4", "rights_are_granted_one_by_one", top("permissions: {}\n\ndefaults", "permissions: write-all\n\ndefaults")),
    Mutant("no identity", "O4", "rights_are_granted_one_by_one", at(PYPI, re.compile(r"    permissions:\n      id-token: .*\n"), "    permissions: {}\n")),
    Mutant("the identity in a build", "R4", "rights_are_granted_one_by_one", at("wheels", "contents: read # checkout", "contents: read # checkout\n      id-token: write # attest")),
    Mutant("the publish job may write", "R4", "rights_are_granted_one_by_one", at(PYPI, "      id-token: write", "      contents: write # release\n      id-token: write")),
    Mutant("a job of the tests may open issues", "R4", "rights_are_granted_one_by_one", at("test", "contents: read # checkout", "contents: read # checkout\n      issues: write # what fails")),
    Mutant("a right without a reason", "R4", "rights_are_granted_one_by_one", at("release", "contents: write # the release and its files", "contents: write")),
    # --- artefacts
    Mutant("all wheels in one artefact", "A5", "jobs_do_exactly_their_steps", at("wheels", "name: built-${{ matrix.target }}", "name: built-wheels")),
    Mutant("wheels by their machine", "A5", "jobs_do_exactly_their_steps", at("wheels", "name: built-${{ matrix.target }}", "name: built-${{ matrix.runner }}")),
    Mutant("merged on the way", "A7", "jobs_do_exactly_their_steps", at("collect", "          path: built\n", "          path: built\n          merge-multiple: true\n")),
    Mutant("an empty artefact is a warning", "A6", "jobs_do_exactly_their_steps", at("wheels", "if-no-files-found: error", "if-no-files-found: warn")),
    Mutant("an artefact may be replaced", "A5", "jobs_do_exactly_their_steps", at("wheels", "if-no-files-found: error", "if-no-files-found: error\n          overwrite: true")),
    Mutant("kept for a day", "U2", "jobs_do_exactly_their_steps", at("collect", re.compile(r"retention-days: 30.*"), "retention-days: 1")),
    Mutant("kept as long as the repository keeps", "P2", "jobs_do_exactly_their_steps", at("wheels", "          retention-days: 30\n", "")),
    Mutant("published is what was built, not what was checked", "A4", "jobs_do_exactly_their_steps", at(PYPI, "          name: release\n", "          pattern: built-*\n          merge-multiple: true\n")),
    Mutant("the sdist is not collected", "A4", "jobs_do_exactly_their_steps", at("collect", "pattern: built-*", 'pattern: "built-*-*"')),
    Mutant("no gate", "A4", "jobs_do_exactly_their_steps", at("collect", "      - run: make check-dist ALL=1\n", "")),
    Mutant("the gate of one machine", "A4", "jobs_do_exactly_their_steps", at("collect", "make check-dist ALL=1", "make check-dist")),
    Mutant("the gate after the upload", "A4", "jobs_do_exactly_their_steps", both(at("collect", GATE, ""), at("collect", re.compile(r"days: 30 # .*\n"), f"days: 30\n{GATE}"))),
    Mutant("the names are not looked at", "P1", "jobs_do_exactly_their_steps", at("collect", re.compile(r"      - run: make check-names .*\n        if: .*\n        env:\n.*\n.*\n"), "")),
    Mutant("the names are looked at for a pull request", "P1", "jobs_do_exactly_their_steps", at("collect", re.compile(r"        if: inputs.testpypi .*\n"), "")),
    Mutant("the names are looked at for PyPI only", "P1", "jobs_do_exactly_their_steps", at("collect", "if: inputs.testpypi || (", "if: (")),
    Mutant("the names are looked at on the other index", "P1", "jobs_do_exactly_their_steps", at("collect", "&& 'pypi' || 'testpypi'", "&& 'testpypi' || 'pypi'")),
    Mutant("everything lies in dist", "A6", "jobs_do_exactly_their_steps", at("collect", "            dist/\n            SHA256SUMS\n", "            dist/\n            target/\n            SHA256SUMS\n")),
    # --- platforms
    Mutant("no wheel for the first platform", "A4", "the_platforms_are_those_that_are_promised", without_row("wheels", 0)),
    Mutant("no wheel for the last platform", "A4", "the_platforms_are_those_that_are_promised", without_row("wheels", -1)),
    Mutant("the last machine for every row", "A13", "every_platform_is_built_natively", at("wheels", re.compile(r"runs-on: \$\{\{ matrix.runner \}\}"), "runs-on: windows-11-arm")),
    Mutant("the deployment target of the machine", "L8", "the_platforms_are_those_that_are_promised", at("wheels", "tag: macosx_11_0_arm64", "tag: macosx_15_0_arm64")),
    Mutant("an old deployment target for ARM", "L9", "the_platforms_are_those_that_are_promised", at("wheels", "tag: macosx_11_0_arm64", "tag: macosx_10_9_arm64")),
    Mutant("the glibc of the machine", "L1", "every_platform_is_built_natively", at("wheels", "tag: manylinux_2_17_x86_64.manylinux2014_x86_64", "tag: manylinux_2_39_x86_64")),
    Mutant("linux_x86_64", "P3", "every_platform_is_built_natively", at("wheels", "tag: manylinux_2_17_x86_64.manylinux2014_x86_64", "tag: linux_x86_64")),
    Mutant("ARM from an Intel machine", "M11", "every_platform_is_built_natively", at("wheels", "            runner: ubuntu-24.04-arm\n            tag: manylinux", "            runner: ubuntu-24.04\n            tag: manylinux")),
    Mutant("each row builds its own sdist", "S5", "jobs_do_exactly_their_steps", at("wheels", " FROM=built/sdist", "")),
    Mutant("every row builds for its own machine", "A7", "jobs_do_exactly_their_steps", at("wheels", 'TARGET="$TARGET" ', "")),
    Mutant("half of universal2", "M11", "jobs_do_exactly_their_steps", at("wheels", re.compile(r"matrix\.target == .* \|\| (?=matrix)"), "")),
    # --- tests
    Mutant("musl is not verified", "L7", "every_wheel_is_tested_where_it_runs", at("verify", re.compile(r" {14}x86_64-unknown-linux-musl@.*\n"), "")),
    Mutant("glibc's oldest is not verified", "L2", "every_wheel_is_tested_where_it_runs", at("verify", re.compile(r" {14}aarch64-unknown-linux-gnu@.*\n"), "")),
    Mutant("musl in a container of glibc", "L7", "every_wheel_is_tested_where_it_runs", at("verify", "x86_64-unknown-linux-musl@quay.io/pypa/musllinux_1_2_x86_64", "x86_64-unknown-linux-musl@quay.io/pypa/manylinux2014_x86_64")),
    Mutant("a container of another processor", "M11", "every_wheel_is_tested_where_it_runs", at("verify", "x86_64-unknown-linux-gnu@quay.io/pypa/manylinux2014_x86_64", "x86_64-unknown-linux-gnu@quay.io/pypa/manylinux2014_aarch64")),
    Mutant("an image that moves", "M6", "every_wheel_is_tested_where_it_runs", at("verify", re.compile(r"(?<=manylinux2014_x86_64:2026\.10\.03-1)@sha256:\w+"), "")),
    Mutant("an image of somebody else", "R2", "every_wheel_is_tested_where_it_runs", at("verify", "quay.io/pypa/manylinux2014_x86_64", "quay.io/somebody/manylinux2014_x86_64")),
    Mutant("an image of another registry", "R2", "every_wheel_is_tested_where_it_runs", at("verify", "quay.io/pypa/musllinux_1_2_aarch64", "docker.io/pypa/musllinux_1_2_aarch64")),
    Mutant("universal2 on ARM alone", "M11", "every_wheel_is_tested_where_it_runs", at("verify", "wheels: x86_64-apple-darwin universal2-apple-darwin", "wheels: x86_64-apple-darwin")),
    Mutant("the last machine is not verified", "Y5", "every_wheel_is_tested_where_it_runs", without_row("verify", -1)),
    Mutant("not on the oldest Python", "Y5", "every_wheel_is_tested_where_it_runs", at("verify", "              3.10\n", "")),
    Mutant("not on the free-threaded one", "Y2", "every_wheel_is_tested_where_it_runs", at("verify", re.compile(r"              3\.10\n              3\.14t\n"), "              3.10\n")),
    Mutant("verify builds what it verifies", "I5", "every_wheel_is_tested_where_it_runs", at("verify", "make verify FROM=release WHEELS", "make verify WHEELS")),
    Mutant("verify takes whichever wheel fits", "I5", "jobs_do_exactly_their_steps", at("verify", ' WHEELS="$WHEELS"', "")),
    Mutant("Python 3.12 is not tested", "A12", "every_python_is_tested", at("test", '          - { runner: ubuntu-24.04, python: "3.12" }\n', "")),
    Mutant("macOS is not tested", "A12", "every_python_is_tested", at("test", '          - { runner: macos-15, python: "3.10" }\n', "")),
    Mutant("3.14t may fail", "Y2", "every_python_is_tested", at("test", "endsWith(matrix.python, '-dev')", "endsWith(matrix.python, '-dev') || matrix.python == '3.14t'")),
    Mutant("the next Python must not fail", "M6", "every_python_is_tested", at("test", re.compile(r"    continue-on-error: .*\n"), "")),
    Mutant("the oldest Rust is not tested", "M8", "every_python_is_tested", at("test", 'rust: "1.85"', 'rust: "1.90"')),
    Mutant("the newest Python, whichever", "M6", "interpreters_are_named", at("sdist", 'python-version: "3.14"', 'python-version: "3.x"')),
    Mutant("pre-releases by accident", "M6", "jobs_do_exactly_their_steps", at("test", "          python-version: ${{ matrix.python }}\n", "          python-version: ${{ matrix.python }}\n          allow-prereleases: true\n")),
    Mutant("the free-threaded one is not there to build for", "Y1", "interpreters_are_named", at("wheels", "            3.15t\n", "")),
    Mutant("tools on a free-threaded Python", "M2", "interpreters_are_named", at("wheels", "            3.15t\n            3.14\n", "            3.14\n            3.15t\n")),
    Mutant("the GIL is forced off", "Y3", "jobs_do_exactly_their_steps", at("test", "        env:\n          # A Python", '        env:\n          PYTHON_GIL: "0"\n          # A Python')),
    Mutant("documents pay for the matrix", "A12", "jobs_run_at_their_events", at("sdist", "    if: needs.identify.outputs.code == 'true'\n", "")),
    Mutant("wheels on release day only", "A12", "jobs_run_at_their_events", at("sdist", "if: needs.identify.outputs.code == 'true'", "if: github.ref_type == 'tag'")),
    Mutant("the check waits for less", "A4", "one_check_stands_for_all", at("passed", ", collect, verify]", "]")),
    Mutant("the check is skipped when anything fails", "A4", "one_check_stands_for_all", at("passed", "if: always() && github.ref_type != 'tag'", "if: github.ref_type != 'tag'")),
    Mutant("what was cancelled has passed", "A4", "one_check_stands_for_all", at("passed", " && !contains(needs.*.result, 'cancelled')", "")),
    Mutant("the check only looks", "A4", "one_check_stands_for_all", at("passed", 'run: test "$PASSED" = true', 'run: test -n "$PASSED"')),
    # --- after publishing
    Mutant("arrival is checked though nothing was sent", "I7", "jobs_run_at_their_events", at("published", re.compile(r"    if: .*\n"), "    if: always()\n")),
    Mutant("arrival is never checked", "I7", "jobs_run_at_their_events", at("published", re.compile(r"    if: .*\n"), "")),
    Mutant("what is served is not compared", "U1", "jobs_do_exactly_their_steps", at("published", re.compile(r"      - run: make check-index .*\n        env:\n.*\n.*\n"), "")),
    Mutant("arrival without the manifest", "U1", "jobs_do_exactly_their_steps", at("published", re.compile(r" SUMS=release/SHA256SUMS\n        env"), "\n        env")),
    Mutant("PyPI is asked for what TestPyPI has", "I8", "jobs_do_exactly_their_steps", lambda text: text.replace("&& 'pypi' || 'testpypi'", "&& 'testpypi' || 'pypi'")),
    Mutant("the GitHub release before the proof", "A9", "nothing_follows_what_failed", at("release", " && needs.published.result == 'success'", "")),
    Mutant("a GitHub release of a development version", "A8", "jobs_run_at_their_events", at("release", "needs.publish-pypi.result == 'success' && ", "")),
    # --- hygiene
    Mutant("an action by its tag", "R2", "actions_are_pinned_and_known", at("sdist", re.compile(r"actions/checkout@\w+ # v7.0.1"), "actions/checkout@v7")),
    Mutant("another commit", "R2", "actions_are_pinned_and_known", at("sdist", "checkout@3d3c42e5", "checkout@3d3c42e6")),
    Mutant("another version in the comment", "R2", "actions_are_pinned_and_known", at("passed", "    steps:\n", "    steps:\n      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v6.0.0\n        with:\n          persist-credentials: false\n")),
    Mutant("an unknown action", "R2", "actions_are_pinned_and_known", at("sdist", "      - run: make sdist\n", "      - run: make sdist\n      - uses: somebody/some-action@" + "a" * 40 + " # v1\n")),
    Mutant("the token stays in the checkout", "R4", "jobs_do_exactly_their_steps", at("wheels", "persist-credentials: false", "persist-credentials: true")),
    Mutant("the newest commit of the branch", "A2", "jobs_do_exactly_their_steps", at("sdist", "          persist-credentials: false\n", "          persist-credentials: false\n          ref: main\n")),
    Mutant("no history where it is needed", "T10", "jobs_do_exactly_their_steps", at("identify", re.compile(r"          fetch-depth: 0.*\n"), "")),
    Mutant("a cache for a tag", "R1", "jobs_do_exactly_their_steps", at("lint", re.compile(r"        if: github.ref_type != 'tag'\n"), "")),
    Mutant("a cache where wheels are built", "R1", "jobs_do_exactly_their_steps", at("wheels", "      - run: make stamp", "      - uses: Swatinem/rust-cache@6323deb102c322ba6fcbdcafc7e3dddab59af2b6 # v2.9.2\n        if: github.ref_type != 'tag'\n      - run: make stamp")),
    Mutant("sccache on tags", "L10", "jobs_do_exactly_their_steps", at("test", "      - run: make test\n", "      - uses: mozilla-actions/sccache-action@7d986dd989559c6ecdb630a3fd2557667be217ad # v0.0.9\n      - run: make test\n")),
    Mutant("a cache of Python's packages", "R1", "jobs_do_exactly_their_steps", at("wheels", "          python-version: |\n", "          cache: pip\n          python-version: |\n")),
    Mutant("the tag's name in a command", "R6", "expressions_reach_no_shell", at("identify", "run: make identify", "run: make identify TAG=${{ github.ref_name }}")),
    Mutant("the branch's name in a command", "R6", "expressions_reach_no_shell", at("lint", '"origin/$GITHUB_BASE_REF"', '"origin/${{ github.base_ref }}"')),
    Mutant("a variable without quotes", "R6", "expressions_reach_no_shell", at("sdist", 'VERSION="$VERSION"', "VERSION=$VERSION")),
    Mutant("a failure is swallowed", "A4", "steps_are_commands_of_a_laptop", at("lint", "run: make lint", "run: make lint || true")),
    Mutant("logic in YAML", "R6", "steps_are_commands_of_a_laptop", at("test", "      - run: make test\n", '      - run: if [ "$RUNNER_OS" = Linux ]; then make test; fi\n')),
    Mutant("a target that is not there", "A12", "steps_are_commands_of_a_laptop", at("sdist", "make sdist", "make sdists")),
    Mutant("a variable that the target does not take", "A12", "steps_are_commands_of_a_laptop", at("verify", "make verify FROM=release", "make verify FROM=release TARGET=x")),
    Mutant("a shell without pipefail", "A4", "the_shell_ends_at_the_first_error", top("    shell: bash #", '    shell: "bash {0}" #')),
    Mutant("each system's own shell", "Y7", "the_shell_ends_at_the_first_error", top(re.compile(r"defaults:\n  run:\n    shell: bash.*\n"), "")),
    Mutant("no time limit", "A14", "jobs_end_and_run_on_known_machines", at("wheels", "    timeout-minutes: 30\n", "")),
    Mutant("six hours", "A14", "jobs_end_and_run_on_known_machines", at("verify", "timeout-minutes: 40", "timeout-minutes: 360")),
    Mutant("a retired machine", "A14", "jobs_end_and_run_on_known_machines", at("wheels", "runner: macos-15-intel", "runner: macos-13")),
    Mutant("a machine that changes", "M6", "jobs_end_and_run_on_known_machines", at("sdist", "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest")),
    Mutant("a job in an old container", "L5", "nothing_else_stands_there", at("verify", "    timeout-minutes: 40\n", "    timeout-minutes: 40\n    container: quay.io/pypa/manylinux2014_x86_64\n")),
    Mutant("older runs always end", "A10", "only_a_pull_requests_older_run_is_cancelled", top(re.compile(r"cancel-in-progress: .*"), "cancel-in-progress: true")),
    Mutant("one group for each ref", "A10", "only_a_pull_requests_older_run_is_cancelled", top(re.compile(r"  group: .*"), "  group: ${{ github.workflow }}-${{ github.ref }}")),
    Mutant("no groups", "A10", "only_a_pull_requests_older_run_is_cancelled", top(re.compile(r"concurrency:\n  group: .*\n  cancel.*\n"), "")),
    Mutant("a group around the publishing", "A10", "nothing_else_stands_there", at(PYPI, "    timeout-minutes: 15\n", "    timeout-minutes: 15\n    concurrency:\n      group: publish\n      cancel-in-progress: true\n")),
    Mutant("a wheel of another version", "A2", "jobs_do_exactly_their_steps", at("wheels", re.compile(r'      - run: make stamp VERSION="\$VERSION"\n        env:\n.*\n'), "")),
    Mutant("the version of the tag's name", "A2", "jobs_do_exactly_their_steps", at("sdist", "VERSION: ${{ needs.identify.outputs.version }}", "VERSION: ${{ github.ref_name }}")),
    Mutant("a token for all steps", "R4", "nothing_else_stands_there", at("release", "    steps:\n", "    env:\n      GH_TOKEN: ${{ github.token }}\n    steps:\n")),
    Mutant("a token for a build", "R4", "jobs_do_exactly_their_steps", at("wheels", "          TARGET: ${{ matrix.target }}\n", "          TARGET: ${{ matrix.target }}\n          GITHUB_TOKEN: ${{ github.token }}\n")),
    Mutant("another maturin", "M8", "jobs_do_exactly_their_steps", at("wheels", "      - run: make stamp", "      - uses: PyO3/maturin-action@e83996d129638aa358a18fbd1dfb82f0b0fb5d3b # v1.51.0\n      - run: make stamp")),
    Mutant("tools that are not locked", "M8", "jobs_do_exactly_their_steps", at("collect", "      - run: make stamp", "      - run: pip install twine\n      - run: make stamp")),
    # --- what nobody looks at
    Mutant("an output that is a word", "A4", "outputs_are_those_of_the_step", at("identify", "code: ${{ steps.identify.outputs.code }}", 'code: "false"')),
    Mutant("an output of another step", "A2", "outputs_are_those_of_the_step", at("identify", "- id: identify", "- id: identified")),
    Mutant("an output of another job", "A2", "outputs_are_those_of_the_step", at("sdist", "    steps:\n", "    outputs:\n      version: 1.2.3\n    steps:\n")),
    Mutant("the check is skipped in a run that is cancelled", "A4", "one_check_stands_for_all", at("passed", "if: always() && github.ref_type != 'tag'", "if: ${{ !cancelled() && github.ref_type != 'tag' }}")),
    Mutant("either is enough to pass", "A4", "one_check_stands_for_all", at("passed", "'cancelled')\n              && (!contains", "'cancelled')\n              || (!contains")),
    Mutant("documents pass whatever fails", "A4", "one_check_stands_for_all", at("passed", re.compile(r"'skipped'\) \|\| (.*)\)\n"), "'skipped')) || needs.identify.outputs.code == 'false'\n")),
    Mutant("nothing found is taken for documents", "A4", "one_check_stands_for_all", at("passed", "needs.identify.outputs.code == 'false'", "needs.identify.outputs.code != 'true'")),
    Mutant("the check's step is for pushes", "A4", "jobs_do_exactly_their_steps", at("passed", 'test "$PASSED" = true\n', "test \"$PASSED\" = true\n        if: github.event_name == 'push'\n")),
    Mutant("a second check of the name", "A4", "names_are_unique", at("sdist", "name: Build the sdist", "name: CI passed")),
    Mutant("rows that share a name", "A4", "names_are_unique", at("test", re.compile(r"name: Test on .*"), "name: Test on ${{ matrix.python }}")),
    *[Mutant(f"{command} is for tags", "A4", "jobs_do_exactly_their_steps", at(job, re.compile(rf"(      - run: {command})(?= |\n)(.*)\n"), f"      - run: {command}{rest}\n        if: github.ref_type == 'tag'\n")) for job, command, rest in (("collect", "make check-dist", " ALL=1"), ("lint", "make lint", ""), ("verify", "make verify", ' FROM=release WHEELS="$WHEELS" PYTHON="$PYTHONS"'))],
    Mutant("the artefacts are left although the gate failed", "A4", "steps_have_no_conditions", at("collect", re.compile(r"      - (uses: actions/upload-artifact.*)\n"), "      - if: always()\n        uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1\n")),
    Mutant("what is sent was compared, or not", "P16", "steps_have_no_conditions", at(PYPI, "      - run: uv publish --trusted-publishing always dist/*\n", "      - run: uv publish --trusted-publishing always dist/*\n        if: ${{ !cancelled() }}\n")),
    Mutant("GitHub's release is made of what was built", "A4", "jobs_do_exactly_their_steps", at("release", "          name: release\n", "          pattern: built-*\n")),
    Mutant("no token for GitHub's release", "A9", "jobs_do_exactly_their_steps", at("release", re.compile(r"        env:\n.*\n"), "")),
    Mutant("GitHub's release takes what lies there", "A9", "jobs_do_exactly_their_steps", at("release", " FROM=release", "")),
    Mutant("arrival of no version", "I7", "jobs_do_exactly_their_steps", at("published", re.compile(r"          VERSION: .*\n(?=          WHEELS)"), "")),
    Mutant("pull requests to main", "A12", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n    branches: [main]\n")),
    Mutant("new pull requests", "A12", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n    types: [opened]\n")),
    Mutant("one group for a branch's name", "A10", "only_a_pull_requests_older_run_is_cancelled", top("&& github.ref ||", "&& github.head_ref ||")),
    Mutant("news are never looked at", "T1", "jobs_do_exactly_their_steps", at("lint", "if: github.event_name == 'pull_request'", "if: github.event_name == 'pull_requests'")),
    *[Mutant(f"{job} has no time to wait", "A14", "jobs_have_the_time_that_they_take", at(job, re.compile(r"timeout-minutes: \d+"), "timeout-minutes: 9")) for job in ("verify", "published", PYPI)],
    Mutant("other bytes are a warning", "P16", "jobs_do_exactly_their_steps", at(PYPI, "          name: release\n", "          name: release\n          digest-mismatch: ignore\n")),
    Mutant("a pattern that takes the whole, too", "A5", "jobs_do_exactly_their_steps", at("collect", "pattern: built-*", 'pattern: "*"')),
    Mutant("a choice that is text", "A2", "jobs_run_at_their_events", top("        type: boolean\n", "")),
    Mutant("built although the run is given up", "A4", "nothing_follows_what_failed", at("sdist", "if: needs", "if: always() && needs")),
    Mutant("only here", "A1", "jobs_run_at_their_events", at("sdist", "if: needs", "if: github.repository == 'owner/name' && needs")),
    Mutant("the tag of another processor", "A13", "every_platform_is_built_natively", at("wheels", "tag: win_amd64", "tag: win_arm64")),
    Mutant("the oldest Rust alone on the oldest Python", "M8", "every_python_is_tested", at("test", '          - { runner: ubuntu-24.04, python: "3.10" }\n', "")),
    Mutant("arrival on another Python", "I7", "jobs_do_exactly_their_steps", at("published", "python-version: ${{ matrix.pythons }}", 'python-version: "3.14"')),
    Mutant("published once", "U2", "a_retry_sends_the_same_bytes", at(PYPI, PUSHED_TAG, f"{PUSHED_TAG} && github.run_attempt == 1")),
    Mutant("published by one owner", "A1", "jobs_run_at_their_events", at(TEST, "if: github.event_name", "if: github.ref_name == 'main' && github.event_name")),
    Mutant("forks are not verified", "A12", "jobs_run_at_their_events", at("sdist", "if: needs", "if: github.event.pull_request.head.repo.fork != true && needs")),
    Mutant("another Rust before a build", "M7", "jobs_do_exactly_their_steps", at("wheels", "      - run: make build", "      - run: rustup default nightly\n      - run: make build")),
    Mutant("a target of one's own before publishing", "R4", "jobs_do_exactly_their_steps", at("collect", "      - run: make check-dist", "      - run: make help\n      - run: make check-dist")),
    # --- who does it, and again
    Mutant("not when it is opened again", "A12", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n    types: [opened, synchronize]\n")),
    Mutant("when it is closed, too", "A12", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n    types: [opened, synchronize, reopened, closed]\n")),
    Mutant("branches without a slash", "A12", "only_release_tags_start_a_run", top("  pull_request:\n", "  pull_request:\n    branches: ['*']\n")),
    Mutant("nine candidates", "A8", "only_release_tags_start_a_run", top('-rc[0-9]+"', '-rc[0-9]"')),
    Mutant("whatever begins with a", "A1", "only_release_tags_start_a_run", top('-alpha[0-9]+"', '-a*[0-9]+"')),
    Mutant("a tag that is left out", "A3", "only_release_tags_start_a_run", top('-rc[0-9]+"\n', '-rc[0-9]+"\n      - "!v2.*"\n')),
    Mutant("drafts are not built", "A12", "jobs_run_at_their_events", at("sdist", "if: needs", "if: github.event.pull_request.draft != true && needs")),
    Mutant("Dependabot is believed", "A12", "jobs_run_at_their_events", at("lint", "    timeout-minutes: 20\n", "    timeout-minutes: 20\n    if: github.actor != 'dependabot[bot]'\n")),
    Mutant("a branch of a fork that is called main", "A12", "jobs_run_at_their_events", at("test", "if: needs", "if: github.head_ref != 'main' && needs")),
    Mutant("published by who has pushed", "U2", "jobs_run_at_their_events", at(PYPI, PUSHED_TAG, f"{PUSHED_TAG} && github.triggering_actor == github.actor")),
    Mutant("published at the second try at last", "U2", "jobs_run_at_their_events", at(PYPI, PUSHED_TAG, f"{PUSHED_TAG} && github.run_attempt < 3")),
    Mutant("no release of a beta", "A8", "jobs_run_at_their_events", at("release", "needs.published.result == 'success'", "needs.published.result == 'success' && !contains(github.ref_name, 'beta')")),
    Mutant("a default branch by its name", "A2", "jobs_do_exactly_their_steps", at("identify", "${{ github.event.repository.default_branch }}", "main")),
    Mutant("the group of a run", "A10", "only_a_pull_requests_older_run_is_cancelled", top("&& github.ref ||", "&& format('{0}-{1}', github.ref, github.run_id) ||")),
    Mutant("one group for a person", "A10", "only_a_pull_requests_older_run_is_cancelled", top("&& github.ref ||", "&& github.actor ||")),
    Mutant("a group for all workflows", "A10", "only_a_pull_requests_older_run_is_cancelled", top("${{ github.workflow }}-", "")),
    Mutant("the name of another workflow", "A10", "names_are_unique", top("name: CI\n", "name: roadworthy\n")),
    Mutant("the check of another workflow", "A4", "names_are_unique", at("passed", "name: CI passed", "name: roadworthy passed")),
    Mutant("another job replaces the artefact", "A5", "other_jobs_leave_nothing", job_more("      - uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1\n        with:\n          name: release\n          path: dist/\n          overwrite: true\n")),
    Mutant("another job has a token", "U8", "other_jobs_leave_nothing", job_more("      - run: make help\n        env:\n          TOKEN: ${{ secrets.TOKEN }}\n")),
    Mutant("another job uploads", "O5", "other_jobs_leave_nothing", job_more("      - run: uv tool run twine upload dist/*\n")),
    Mutant("another job keeps what a tag has built", "R1", "other_jobs_leave_nothing", job_more("      - uses: Swatinem/rust-cache@6323deb102c322ba6fcbdcafc7e3dddab59af2b6 # v2.9.2\n")),
    Mutant("another job keeps the token", "R4", "other_jobs_leave_nothing", job_more("      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n", "permissions:\n      contents: read # checkout")),
    Mutant("a limit of a step", "A14", "nothing_else_stands_there", at("published", "      - run: make check-index", "      - timeout-minutes: 1\n        run: make check-index")),
]


HARMLESS: dict[str, Edit] = {
    "jobs in another order": swapped("sdist", "wheels"),
    "the publish job first": swapped("identify", "publish-pypi"),
    "a job renamed": lambda text: re.sub(r"\bcollect\b(?=:|,|\])", "gather", text),
    "verify renamed": lambda text: re.sub(r"(?<![-\w ])verify\b(?=:)|(?<=, )verify(?=[\],])", "prove", text).replace("\n  verify:", "\n  prove:"),
    "the publish job renamed": everywhere("publish-pypi", "to-pypi"),
    "published renamed": lambda text: re.sub(r"\bpublished\b(?=:|\]|\.result)", "arrived", text),
    "a job more": job_more("      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1\n        with:\n          persist-credentials: false\n      - run: make help\n", "permissions:\n      contents: read # checkout"),
    "another title": at("sdist", "name: Build the sdist", "name: The source distribution"),
    "titles in quotes": at("lint", "name: Lint, and test on the newest Python", 'name: "Lint, and test on the newest Python"'),
    "needs as a list of lines": at("sdist", "needs: identify", "needs:\n      - identify"),
    "needs in another order": at(PYPI, NEEDS, "needs: [verify, collect, test, lint, identify]"),
    "a need that is implied": at("verify", "needs: [identify, collect]", "needs: [identify, sdist, wheels, collect]"),
    "the condition in braces": at(PYPI, f"if: {PUSHED_TAG}", f"if: ${{{{ {PUSHED_TAG} }}}}"),
    "the condition turned": at(PYPI, PUSHED_TAG, "github.ref_type == 'tag' && github.event_name == 'push'"),
    "the condition by the ref": at(PYPI, PUSHED_TAG, "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')"),
    "a step more": at("lint", "      - run: make lint\n", "      - run: make help\n      - run: make lint\n"),
    "a target of one's own before a build": at("wheels", "      - run: make build", "      - run: make help\n      - run: make build"),
    "a target of one's own before verifying": at("verify", "      - run: make verify", "      - run: make help\n      - run: make verify"),
    "steps with names": at("test", "      - run: make test\n", "      - name: Test\n        run: make test\n"),
    "Rust told before a test": at("lint", "      - run: make lint\n", "      - run: rustup show\n      - run: make lint\n"),
    "another Python to test on": at("test", '          - { runner: macos-15, python: "3.10" }\n', '          - { runner: macos-15, python: "3.10" }\n          - { runner: macos-15, python: "3.12" }\n'),
    "rows in block style": at("test", '          - { runner: ubuntu-24.04, python: "3.11" }\n', '          - runner: ubuntu-24.04\n            python: "3.11"\n'),
    "rows in another order": lambda text: within(within(text, "test", '          - { runner: windows-2025, python: "3.10" }\n', ""), "test", '          - { runner: macos-15, python: "3.10" }\n', '          - { runner: windows-2025, python: "3.10" }\n          - { runner: macos-15, python: "3.10" }\n'),
    "kept longer": everywhere("retention-days: 30", "retention-days: 60"),
    "a shorter limit": at("wheels", "timeout-minutes: 30", "timeout-minutes: 20"),
    "an image by its digest alone": lambda text: re.sub(r"(manylinux2014_x86_64):[\d.-]+@", r"\1@", text),
    "more comments": everywhere("\njobs:\n", "\n# All of them, in their order.\njobs:\n"),
    "no comments": lambda text: re.sub(r"(?m)^ *#.*\n", "", text),
    "the concurrency group spelled otherwise": top("${{ github.workflow }}-${{ github.event_name == 'pull_request'", "ci-${{ github.event_name == 'pull_request'"),
    "a machine by a list of labels": at("sdist", "runs-on: ubuntu-24.04", "runs-on: [ubuntu-24.04]"),
    "tags as one list": lambda text: once(text, TAGS, '    tags: ["v[0-9]+.[0-9]+.[0-9]+", "v[0-9]+.[0-9]+.[0-9]+-alpha[0-9]+", "v[0-9]+.[0-9]+.[0-9]+-beta[0-9]+", "v[0-9]+.[0-9]+.[0-9]+-rc[0-9]+"]\n'),
}
