"""What the index serves: the simple API, the JSON API, provenance, and the files."""

import json
from html import escape
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from roadworthy.sums import sha256
from workshop.loopback import attestations
from workshop.loopback.admission import StoredFile

if TYPE_CHECKING:
    from workshop.loopback.index import PackageIndex

# PyPI's source, warehouse/packaging/utils.py.
API_VERSION = "1.4"
JSON_V1 = "application/vnd.pypi.simple.v1+json"
# In the order of PyPI's preference; the first one if the client takes none of them.
SIMPLE_TYPES = ("text/html", "application/vnd.pypi.simple.v1+html", JSON_V1)
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


def accepted(request: Request, offers: tuple[str, ...]) -> str | None:
    """Return which of some content types the client likes best, of equals the first; None if it takes none."""
    # A client that says nothing takes all.
    best = max(offers, key=lambda offer: request.accept_mimetypes.quality(offer) if request.accept_mimetypes else 1)
    return best if not request.accept_mimetypes or request.accept_mimetypes.quality(best) > 0 else None


def page(request: Request, content: dict[str, Any], markup: str) -> Response:
    """Return a page of the simple API as the client likes it best."""
    kind = accepted(request, SIMPLE_TYPES) or SIMPLE_TYPES[0]
    body = json.dumps(content) + "\n" if kind == JSON_V1 else markup
    headers = {"Vary": "Accept", "Cache-Control": "max-age=600, public"}
    headers["X-PyPI-Last-Serial"] = str(content["meta"]["_last-serial"])
    return Response(body, 200, headers, content_type=kind)


def moved(request: Request, project: str) -> Response | None:
    """Return the way to a project's page under its normalised name, unless this is it."""
    name = canonicalize_name(project)
    return None if name == project else redirect(request.path.replace(f"/{project}/", f"/{name}/", 1), 301)


def meta(index: "PackageIndex") -> dict[str, object]:
    """Return what is said about every page of the simple API."""
    return {"api-version": API_VERSION, "_last-serial": len(index.files) + len(index.deleted)}


def simple_root(index: "PackageIndex", request: Request) -> Response:
    """Serve the list of projects.

    The source is PyPI's: warehouse/api/simple.py, simple_index.
    """
    names = sorted(index.projects)
    links = "\n".join(f'    <a href="/simple/{name}/">{name}</a>' for name in names)
    content = {"meta": meta(index), "projects": [{"name": name} for name in names]}
    return page(request, content, TEMPLATE.format(version=API_VERSION, title="Simple index", body=links))


def simple_project(index: "PackageIndex", request: Request, project: str) -> Response:
    """Serve a project's files (PEP 503, 629, 691, 700, 714, 740); those that are late are not there yet.

    The source is PyPI's: warehouse/api/simple.py, simple_detail, and warehouse/templates/api/simple/detail.html.

    Raises:
        NotFound: There is none of that name, or no file of it is visible.
    """
    if elsewhere := moved(request, project):
        return elsewhere
    with index.lock:
        seen = index.visible() if project == canonicalize_name(index.project) else []
        index.page_requests += 1
    if not seen and (project not in index.projects or index.files):
        raise NotFound
    files = [link(request, project, file) for file in seen]
    content = {
        "meta": meta(index),
        "name": project,
        "project-status": {"status": "archived" if index.archived else "active"},
        "versions": [str(version) for version in sorted({file.version for file in seen})],
        "files": files,
    }
    title = f"Links for {project}"
    body = "\n".join([f"    <h1>{title}</h1>", *map(anchor, files)])
    return page(request, content, TEMPLATE.format(version=API_VERSION, title=title, body=body))


def link(request: Request, project: str, file: StoredFile) -> dict[str, Any]:
    """Return what the simple API says of a file."""
    core = {"sha256": sha256(file.metadata)} if file.metadata is not None else False
    provenance = f"{request.host_url}integrity/{project}/{file.version}/{file.name}/provenance"
    return {
        "filename": file.name,
        "url": f"{request.host_url}files/{file.name}",
        "hashes": {"sha256": file.hashes["sha256"]},
        "requires-python": file.requires_python,
        "size": len(file.content),
        "upload-time": moment(file),
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


def moment(file: StoredFile) -> str:
    """Return when a file was uploaded, as ISO 8601 says it."""
    return file.uploaded.replace(tzinfo=None).isoformat() + "Z"


def json_project(index: "PackageIndex", request: Request, project: str) -> Response:
    """Serve all of a project, with its newest release's metadata.

    The source is PyPI's: warehouse/legacy/api/json.py, json_project.

    Raises:
        NotFound: There is none of that name, or it has no release.
    """
    return moved(request, project) or release_json(index, request, project, None)


def json_release(index: "PackageIndex", request: Request, project: str, version: str) -> Response:
    """Serve a release.

    The source is PyPI's: warehouse/legacy/api/json.py, json_release.

    Raises:
        NotFound: There is none.
    """
    try:
        return moved(request, project) or release_json(index, request, project, Version(version))
    except InvalidVersion as error:
        raise NotFound from error


def release_json(index: "PackageIndex", request: Request, project: str, version: Version | None) -> Response:
    """Return a release in JSON; without a version the newest, a final one before others, and all releases too."""
    files = list(index.files.values()) if project == canonicalize_name(index.project) else []
    versions = sorted({file.version for file in files}, key=lambda one: (not one.is_prerelease, one))
    chosen = version if version is not None else next(reversed(versions), None)
    if chosen not in versions:
        raise NotFound
    releases = {
        str(one): [legacy(request, file) for file in sorted(files, key=lambda file: file.name) if file.version == one]
        for one in sorted(versions, reverse=True)
    }
    info = next(file.info for file in files if file.version == chosen)
    content: dict[str, Any] = {
        "info": {
            "name": info.name,
            "version": str(info.version),
            "summary": info.summary,
            "description": info.description,
            "description_content_type": info.description_content_type,
            "license_expression": info.license_expression,
            "license_files": info.license_files,
            "classifiers": info.classifiers or [],
            "project_urls": info.project_urls,
            "requires_dist": [str(one) for one in info.requires_dist or []] or None,
            "requires_python": str(info.requires_python) if info.requires_python else None,
            "yanked": False,
            "yanked_reason": None,
        },
        "urls": releases[str(chosen)],
        "vulnerabilities": [],
        "last_serial": meta(index)["_last-serial"],
    }
    if version is None:
        content["releases"] = releases
    headers = {"Cache-Control": "max-age=900, public"}
    return Response(json.dumps(content) + "\n", 200, headers, mimetype="application/json")


def legacy(request: Request, file: StoredFile) -> dict[str, Any]:
    """Return what the JSON API says of a file."""
    return {
        "filename": file.name,
        "packagetype": file.kind,
        "python_version": file.python,
        "has_sig": False,
        "comment_text": "",
        "md5_digest": file.hashes["md5"],
        "digests": {
            "md5": file.hashes["md5"],
            "sha256": file.hashes["sha256"],
            "blake2b_256": file.hashes["blake2_256"],
        },
        "core-metadata": link(request, "", file)["core-metadata"],
        "size": len(file.content),
        "downloads": -1,
        "upload_time": file.uploaded.strftime("%Y-%m-%dT%H:%M:%S"),
        "upload_time_iso_8601": moment(file),
        "url": f"{request.host_url}files/{file.name}",
        "requires_python": file.requires_python,
        "yanked": False,
        "yanked_reason": None,
    }


def provenance(index: "PackageIndex", request: Request, project: str, version: str, name: str) -> Response:
    """Serve the attestations that came with a file (PEP 740).

    The source is PyPI's: warehouse/api/integrity.py, provenance_for_file.

    Raises:
        NotFound: There is no such file.
    """
    file = index.files.get(name)
    if file is None or (project, version) != (canonicalize_name(index.project), str(file.version)):
        raise NotFound
    kind = accepted(request, PROVENANCE_TYPES)
    if kind is None:
        return Response('{"message": "Request not acceptable"}', 406, mimetype="application/json")
    if not file.attestations or file.publisher is None:
        message = json.dumps({"message": f"No provenance available for {name}"})
        return Response(message, 404, mimetype="application/json")
    text = attestations.provenance(file.publisher, file.attestations)
    return Response(text, 200, {"Vary": "Accept", "Cache-Control": "max-age=600, public"}, content_type=kind)


def download(index: "PackageIndex", _: Request, name: str) -> Response:
    """Serve a file, or a wheel's METADATA under the wheel's name and `.metadata` (PEP 658).

    Raises:
        NotFound: There is none.
    """
    file = index.files.get(name.removesuffix(".metadata"))
    content = None if file is None else file.metadata if name.endswith(".metadata") else file.content
    if content is None:
        raise NotFound
    return Response(content, 200, mimetype="application/octet-stream")


PAGES = {
    "/simple/": simple_root,
    "/simple/<project>/": simple_project,
    "/pypi/<project>/json": json_project,
    "/pypi/<project>/<version>/json": json_release,
    "/integrity/<project>/<version>/<name>/provenance": provenance,
    "/files/<name>": download,
}
