"""What only the index knows of a version: whether somebody has published it. A file name can be used once."""

from roadworthy.releasing import files
from roadworthy.releasing.version import Release
from roadworthy.releasing.yank import next_version
from roadworthy.terminal import Problem, ProblemsError


def check_published(read: files.Reader, release: Release) -> tuple[list[Problem], list[str]]:
    """Ask PyPI for files of the version; return the problems, and what was not checked and why."""
    # Libraries that take longer to import than all other checks take together, which go on meanwhile.
    import requests  # noqa: PLC0415

    from roadworthy.index import BusyError, Index, NotThereYetError  # noqa: PLC0415

    index = Index.named("pypi")
    try:
        served = index.files(str(files.part(read, "pyproject.toml", "project")["name"]), release.version)
    except ProblemsError as error:
        return list(error.problems), []
    except KeyError:
        return [], [f"not checked: whether {release.text} is published (pyproject.toml names no project)"]
    except BusyError as error:
        return [], [f"not checked: whether {release.text} is published ({error})"]
    except NotThereYetError:
        return [], []
    except (requests.RequestException, ValueError) as error:
        reason = f"{index.url} cannot be asked: {type(error).__name__}"
        return [], [f"not checked: whether {release.text} is published ({reason})"]
    what = f"{release.text} is published already, without a tag here: {', '.join(file.filename for file in served)}"
    return [Problem(what, f"its names cannot be used again; release {next_version(release.text)}")], []
