"""Everything the index refuses: when, with which status and code, and in which words. All of them are PyPI's.

Where PyPI's words name an address of its own, only the path of it is here.
"""

from dataclasses import dataclass

from workshop.loopback.refused_files import FILES
from workshop.loopback.refused_forms import FORMS
from workshop.loopback.refused_tokens import TOKENS


@dataclass(frozen=True)
class Refusal:
    """One thing that is refused.

    Attributes:
        name: By which it is known here.
        condition: When it is refused.
        status: The HTTP status.
        code: PyPI's name of the error where a token is asked for; "" for an upload, whose words are all there is.
        words: PyPI's words, a template of `str.format`.
        source: The file and the function in PyPI's source that refuse it; "gate: …" names a rule of scripts/gate
            that stands for PyPI's own.
    """

    name: str
    condition: str
    status: int
    code: str
    words: str
    source: str


REFUSALS = {
    name: Refusal(name, condition, status, code, words, source)
    for source, status, code, rows in (*TOKENS, *FORMS, *FILES)
    for name, condition, words in rows
}


class RefusedError(Exception):
    """A request is refused; `words` is what the client is told, on one line."""

    def __init__(self, refusal: Refusal, **values: object) -> None:
        """Fill `values` in the refusal's words."""
        self.refusal = refusal
        self.words = " ".join(refusal.words.format(**values).splitlines())
        super().__init__(self.words)


def refused(name: str, **values: object) -> RefusedError:
    """Return the exception for an entry of the table, to be raised.

    Args:
        name: The entry's.
        values: What its words ask for.
    """
    return RefusedError(REFUSALS[name], **values)
