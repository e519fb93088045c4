"""What the index serves: the simple API, provenance, and the files."""

import hashlib
import json
from html import escape
from typing import Any

from packaging.utils import canonicalize_name
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from workshop.loopback import attestations
from workshop.loopback.index import PackageIndex, StoredFile

# PyPI's source, warehouse/packaging/utils.py.
API_VERSION = "1.4"
JSON_V1 = "application/vnd.pypi.simple.v1+json"
# In the order of PyPI's preference; the first one if the client takes none of them.
SIMPLE_TYPES = ("text/html", "application/vnd.pypi.simple.v1+html", JSON_V1)
CACHED = {"Vary": "Accept", "Cache-Control": "max-age=600, public"}
PROVENANCE_TYPES = ("application/vnd.pypi.integrity.v1+json", "application/json")
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="{version}">
    <title>{title}</title>
  </head>
  <body>
{body}
  </body>
</html>
"""


def as_json(content: dict[str, Any], status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(json.dumps(content), status, mimetype="application/json")


def accepted(request: Request, offers: tuple[str, ...]) -> str | None:
    """Return which of some content types the client likes best, of equals the first; None if it takes none."""
    wanted = request.accept_mimetypes
    best = max(offers, key=wanted.quality)
    # A client that says nothing takes all.
    return best if not wanted or wanted.quality(best) > 0 else None


def page(index: PackageIndex, request: Request, content: dict[str, Any], title: str, lines: list[str]) -> Response:
    """Return a page of the simple API as the client likes it best: in JSON, or lines of HTML."""
    kind, serial = accepted(request, SIMPLE_TYPES) or SIMPLE_TYPES[0], len(index.files) + len(index.deleted)
    if kind == JSON_V1:
        body = json.dumps({"meta": {"api-version": API_VERSION, "_last-serial": serial}, **content}) + "\n"
    else:
        body = TEMPLATE.format(version=API_VERSION, title=title, body="\n".join(lines))
    return Response(body, 200, {**CACHED, "X-PyPI-Last-Serial": str(serial)}, content_type=kind)


def simple_root(index: PackageIndex, request: Request) -> Response:
    """Serve the list of projects.

    The source is PyPI's: warehouse/api/simple.py, simple_index.
    """
    names = sorted(index.projects)
    links = [f'    <a href="/simple/{name}/">{name}</a>' for name in names]
    return page(index, request, {"projects": [{"name": name} for name in names]}, "Simple index", links)


def simple_project(index: PackageIndex, request: Request, project: str) -> Response:
    """Serve a project's files (PEP 503, 629, 691, 700, 714, 740); those that are late are not there yet.

    The source is PyPI's: warehouse/api/simple.py, simple_detail, and warehouse/templates/api/simple/detail.html.
    """
    if (name := canonicalize_name(project)) != project:
        return redirect(request.path.replace(f"/{project}/", f"/{name}/", 1), 301)
    with index.lock:
        seen = index.visible(project)
        index.page_requests += 1
    if not seen and (project not in index.projects or any(file.project == project for file in index.files.values())):
        raise NotFound
    files = [link(request, project, file) for file in seen]
    content = {
        "name": project,
        "project-status": {"status": "archived" if index.archived else "active"},
        "versions": [str(version) for version in sorted({file.version for file in seen})],
        "files": files,
    }
    title = f"Links for {project}"
    return page(index, request, content, title, [f"    <h1>{title}</h1>", *map(anchor, files)])


def link(request: Request, project: str, file: StoredFile) -> dict[str, Any]:
    """Return what the simple API says of a file."""
    core = {"sha256": hashlib.sha256(file.metadata).hexdigest()} if file.metadata is not None else False
    provenance = f"{request.host_url}integrity/{project}/{file.version}/{file.name}/provenance"
    return {
        "filename": file.name,
        "url": f"{request.host_url}files/{file.name}",
        "hashes": {"sha256": file.hashes["sha256"]},
        "requires-python": str(file.info.requires_python or "") or None,
        "size": len(file.content),
        "upload-time": file.uploaded.replace(tzinfo=None).isoformat() + "Z",
        "yanked": False,
        "data-dist-info-metadata": core,
        "core-metadata": core,
        "provenance": provenance if file.attestations else None,
    }


def anchor(file: dict[str, Any]) -> str:
    """Return what the simple API says of a file, in HTML."""
    attributes = {"href": f"{file['url']}#sha256={file['hashes']['sha256']}"}
    if file["requires-python"]:
        attributes["data-requires-python"] = file["requires-python"]
    if file["core-metadata"]:
        digest = f"sha256={file['core-metadata']['sha256']}"
        attributes |= {"data-dist-info-metadata": digest, "data-core-metadata": digest}
    if file["provenance"]:
        attributes["data-provenance"] = file["provenance"]
    text = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"    <a {text}>{file['filename']}</a><br />"


def provenance(index: PackageIndex, request: Request, project: str, version: str, name: str) -> Response:
    """Serve the attestations that came with a file (PEP 740).

    The source is PyPI's: warehouse/api/integrity.py, provenance_for_file.
    """
    file = index.files.get(name)
    if file is None or (project, version) != (file.project, str(file.version)):
        raise NotFound
    kind = accepted(request, PROVENANCE_TYPES)
    if kind is None:
        return as_json({"message": "Request not acceptable"}, 406)
    if not file.attestations or file.publisher is None:
        return as_json({"message": f"No provenance available for {name}"}, 404)
    text = attestations.provenance(file.publisher, file.attestations)
    return Response(text, 200, CACHED, content_type=kind)


def download(index: PackageIndex, _: Request, name: str) -> Response:
    """Serve a file, or a wheel's METADATA under the wheel's name and `.metadata` (PEP 658)."""
    file = index.files.get(name.removesuffix(".metadata"))
    content = None if file is None else file.metadata if name.endswith(".metadata") else file.content
    if content is None:
        raise NotFound
    return Response(content, 200, mimetype="application/octet-stream")


PAGES = {
    "/simple/": simple_root,
    "/simple/<project>/": simple_project,
    "/integrity/<project>/<version>/<name>/provenance": provenance,
    "/files/<name>": download,
}
