"""Write anew what the gate knows of other systems' libraries, from the data of auditwheel and of delvewheel.

usage: uv run --with auditwheel --with delvewheel python benchmarks/platform_libraries.py

`linux` is auditwheel's policies, turned round: for each library, and for each version of symbols on each processor, the
glibc (2.x) of the oldest manylinux that has it; auditwheel makes sure that every newer one has it too. `musl` is what
any musllinux has. `windows` is what delvewheel takes for part of every Windows.
"""

import json
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from delvewheel import _dll_list  # type: ignore[import-not-found]

FILE = Path(__file__).resolve().parent.parent / "roadworthy/src/roadworthy/gate/platform_libraries.json"


def policies(libc: str) -> list[dict[str, Any]]:
    """Return auditwheel's policies, the oldest first, without the one that allows all."""
    text = files("auditwheel.policy").joinpath(f"{libc}-policy.json").read_text(encoding="utf-8")
    return [policy for policy in json.loads(text) if policy["priority"]]


def main() -> None:
    """Write the file."""
    libraries: dict[str, int] = {}
    versions: dict[str, dict[str, int]] = {}
    for policy in policies("manylinux"):
        glibc = int(policy["name"].rsplit("_", 1)[1])
        for library in policy["lib_whitelist"]:
            libraries.setdefault(library, glibc)
        for machine, families in policy["symbol_versions"].items():
            for family, numbers in families.items():
                for number in numbers:
                    versions.setdefault(machine, {}).setdefault(f"{family}_{number}", glibc)
    lists = {"win32": "x86", "amd64": "x64", "arm64": "arm64"}
    content = {
        "from": [f"{name} {version(name)}" for name in ("auditwheel", "delvewheel")],
        "linux": {"libraries": libraries, "versions": versions},
        "musl": sorted({library for policy in policies("musllinux") for library in policy["lib_whitelist"]}),
        "windows": {machine: sorted(getattr(_dll_list, f"ignore_names_{name}")) for machine, name in lists.items()},
    }
    # A line for each part: nobody reads it, and a repository is not measured by it.
    parts = ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in content.items())
    FILE.write_text(f"{{\n{parts}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
