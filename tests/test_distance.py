import pytest

from ferrous_wheel import MAX_WORD_LENGTH, distance


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [
        ("", "", 0),
        ("wheel", "wheel", 0),
        ("", "wheel", 5),
        ("wheel", "wheels", 1),
        ("wheel", "heel", 1),
        ("wheel", "whee!", 1),
        ("wheel", "wehel", 1),
        ("wheel", "Wheel", 1),
        ("ca", "abc", 3),
    ],
    ids=[
        "empty",
        "equal",
        "from empty",
        "insertion",
        "deletion",
        "substitution",
        "swap",
        "case",
        "no part edited twice",
    ],
)
def test_a_distance_is_the_fewest_edits(a: str, b: str, edits: int) -> None:
    assert distance(a, b) == edits
    assert distance(b, a) == edits


def test_a_letter_is_a_code_point() -> None:
    assert distance("🦀", "") == 1
    assert distance("é", "e\u0301") == 2
    assert distance("語", "话") == 1


def test_a_nul_is_a_letter_like_any_other() -> None:
    assert distance("a\0b", "ab") == 1


def test_words_up_to_the_limit_are_compared() -> None:
    assert distance("a" * MAX_WORD_LENGTH, "b" * MAX_WORD_LENGTH) == MAX_WORD_LENGTH


def test_a_subclass_of_str_is_text_by_its_content() -> None:
    class Loud(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise RuntimeError("never asked")

    assert distance(Loud("wheel"), "wheels") == 1
