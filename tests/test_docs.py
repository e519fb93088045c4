import ast
import doctest
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

import ferrous_wheel
from ferrous_wheel import _core

STUB = ast.parse(files(ferrous_wheel).joinpath("_core.pyi").read_text(encoding="utf-8"))


def docstrings(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted name and the docstring of everything that the stub documents, constants too."""
    for node, following in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield prefix + node.name, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            yield from docstrings(node.body, f"{node.name}.")
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = following.value if isinstance(following, ast.Expr) else None
            yield prefix + node.target.id, str(text.value) if isinstance(text, ast.Constant) else ""


DOCUMENTED = dict(docstrings(STUB.body))


def failures(name: str, text: str) -> int:
    """Run the examples of a text and return how many failed; there must be one."""
    test = doctest.DocTestParser().get_doctest(text, vars(ferrous_wheel).copy(), name, None, None)
    assert test.examples, f"{name} has no example"
    return doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed


@pytest.mark.parametrize("name", [*ferrous_wheel.__all__, "Vocabulary.closest"])
def test_every_public_name_has_an_example_and_it_is_true(name: str) -> None:
    text = DOCUMENTED[name] if name in DOCUMENTED else getattr(ferrous_wheel, name).__doc__
    assert failures(name, text) == 0


def test_the_examples_of_the_package_are_true() -> None:
    assert failures("the package", ferrous_wheel.__doc__ or "") == 0


def test_the_examples_of_the_readme_are_true() -> None:
    readme = Path(__file__).parent.parent / "README.md"
    # The closing fence of a code block is no output.
    text = readme.read_text(encoding="utf-8").replace("```\n", "\n")
    assert failures("README.md", text) == 0


def test_a_broken_example_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures("broken", DOCUMENTED["distance"].replace("\n1\n", "\n7\n")) == 1
    assert "Expected:\n    7\nGot:\n    1" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Match", "Vocabulary", "closest", "distance"])
def test_help_begins_with_the_same_sentence_as_the_stub(name: str) -> None:
    shown = getattr(_core, name).__doc__
    assert shown.splitlines()[0] == DOCUMENTED[name].splitlines()[0]


def test_the_documented_limit_is_the_limit() -> None:
    assert f"{ferrous_wheel.MAX_WORD_LENGTH:,}" in DOCUMENTED["MAX_WORD_LENGTH"]
