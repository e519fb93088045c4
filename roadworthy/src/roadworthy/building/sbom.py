"""The software bill of materials of a wheel: the crates that are compiled into it, as Cargo.lock locks them.

CycloneDX, from `cargo metadata`. The same commit gives the same bytes: no path, and neither a time nor a random number
that is not derived from the content.
"""

import json
import os
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL

from roadworthy import processes as commands
from roadworthy.tables import parse_toml


def crate_component(package: dict[str, Any], checksum: str | None) -> Component:
    """Describe one crate. Crates from a registry have a checksum, those in this repository have none."""
    purl = PackageURL("cargo", None, package["name"], package["version"])
    return Component(
        type=ComponentType.LIBRARY,
        name=package["name"],
        version=package["version"],
        description=package["description"],
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
    )


def make_sbom(source: Path, triple: str, time: int) -> str:
    """Return the CycloneDX JSON for the crate in `source`.

    Args:
        source: The folder with Cargo.toml and Cargo.lock.
        triple: What is built for; crates that this target does not use are left out.
        time: Seconds since 1970, written down as the time of its making.
    """
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    if not triple.startswith("universal2-"):
        command.append(f"--filter-platform={triple}")
    metadata = json.loads(commands.run(*command, cwd=source, env=os.environ).stdout)
    lock = source / "Cargo.lock"
    crates = parse_toml(lock.name, lock.read_text(encoding="utf-8"))["package"]
    checksums = {(crate["name"], crate["version"]): crate.get("checksum") for crate in crates}
    components = {
        package["id"]: crate_component(package, checksums[package["name"], package["version"]])
        for package in metadata["packages"]
    }
    root = components[metadata["resolve"]["root"]]
    bom = Bom(
        components=[component for component in components.values() if component is not root],
        serial_number=uuid.uuid5(
            uuid.NAMESPACE_URL, f"{root.purl}?target={triple}\n{lock.read_text(encoding='utf-8')}"
        ),
    )
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(time, timezone.utc)
    for node in metadata["resolve"]["nodes"]:
        bom.register_dependency(components[node["id"]], [components[needed] for needed in node["dependencies"]])
    return JsonV1Dot5(bom).output_as_string(indent=2) + "\n"
