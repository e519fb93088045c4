__all__ = ["initials"]

def initials(text: str) -> str:
    """Return the first letter of each word.

    Args:
        text: Words, with blanks of any kind between them.

    Returns:
        As many letters as there are words.

    Raises:
        TypeError: `text` is no str.
    """
