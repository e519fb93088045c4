"""What an installation has to do by itself: no other file of this repository is there when this runs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

NAME, FOLDER = "turbo_frob-1.0-py3-none-any.whl", "turbo_frob-1.0.dist-info"
METADATA = "Metadata-Version: 2.4\nName: turbo-frob\nVersion: 1.0\nSummary: Frobs\n"


def check(*words: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIVEN", "GITHUB_"))}
    command = [sys.executable, "-m", "roadworthy", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, encoding="utf-8")


def pack(folder: Path, **files: str) -> Path:
    path = folder / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return path


def test_what_is_no_wheel_is_told_with_a_remedy(tmp_path: Path) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    pack(downloads, a="1")
    done = check("check", "downloads", "--foreign", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "[one-dist-info]" in done.stderr


def test_rules_are_told_by_name(tmp_path: Path) -> None:
    done = check("rules", "one-dist-info", cwd=tmp_path)
    assert done.returncode == 0, done
    assert "Remedy" in done.stdout


def test_a_command_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    assert check("chekc", cwd=tmp_path).returncode == 2
