"""Which spelling of a longer name takes the place of a single word: that has only one, so the place has to tell."""

import re

# What stands before or after the name of an import package, or of a file that is named after it.
BEFORE = re.compile(rb"\b(?:import|from) (?:[\w.]+, )*\Z|\bstubtest \Z")
AFTER = re.compile(
    rb"""\.[A-Za-z_]                              # a module, or an attribute
    |-[\w.]+(?:-[\w.<>\ ]+)*\.(?:whl|tar\.gz|zip|dist-info)
    |-\d[\w.]*                                    # the version in the name of a file
    |(?:/|\\\\)(?!\.github|issues|blob)[\w.\\]    # a file in its folder
    """,
    re.VERBOSE,
)
# So much of a line is looked at.
REACH = 200


def is_module(path: str, text: bytes, start: int, end: int, owner: bytes) -> bool:
    """Say whether a name in a text is that of the import package, and not that of the distribution.

    Args:
        path: The file that has the text.
        text: The text.
        start: Where the name begins.
        end: Where it ends.
        owner: The owner of the repository; after it, the name is that of the repository.
    """
    before, after = text[max(0, start - REACH) : start].rpartition(b"\n")[2], text[end : end + REACH]
    if before.endswith(owner + b"/"):
        return False
    # In Python outside of a text, and anywhere in Rust, there is no other spelling.
    in_code = path.endswith((".py", ".pyi")) and not before.count(b'"') % 2 and not before.count(b"'") % 2
    is_comment = b"#" in before
    if path.endswith(".rs") or (in_code and not is_comment):
        return True
    return BEFORE.search(before) is not None or AFTER.match(after) is not None
