from ferrous_wheel import initials


def test_the_first_letter_of_each_word_is_returned() -> None:
    assert initials(" did  you\tmean ") == "dym"


def test_no_word_has_no_letter() -> None:
    assert initials("") == ""
