"""What the index answers: which address is which page, and how a refusal is told."""

import html
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request as WebRequest
from werkzeug.wrappers import Response

from workshop.loopback import minting
from workshop.loopback.admission import Upload, first, sanitize, take
from workshop.loopback.identity import IdentityProvider
from workshop.loopback.index import PackageIndex, Request
from workshop.loopback.pages import PAGES, as_json
from workshop.loopback.refusals import RefusedError, refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# What Pyramid, in which PyPI is written, says of a status before it says the reason.
EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    405: "The method POST is not allowed for this resource.",
    410: "This resource is no longer available.  No forwarding address is given.",
}
TOO_MANY = 429

Answer = Callable[..., Response]


class Form(WebRequest):
    """A request whose form may be as long as a description is."""

    max_form_memory_size = 1 << 30
    max_form_parts = 100_000


class Application:
    """The index as a WSGI application, and the identity provider beside it."""

    def __init__(self, index: PackageIndex, provider: IdentityProvider) -> None:
        """Keep what is served."""
        self.index, self.provider = index, provider
        actions: list[tuple[str, str, Answer]] = [
            ("POST", "/legacy/", self.upload),
            ("GET", "/_/oidc/audience", lambda _: as_json({"audience": index.audience})),
            ("POST", "/_/oidc/mint-token", self.mint),
            ("POST", "/_/oidc/github/mint-token", self.mint),
            ("POST", "/_/oidc/burn-token", lambda request: as_json(minting.burn(index, request.get_data()))),
            ("GET", "/idtoken/<job>", self.identity),
            *(("GET", address, partial(cast(Answer, page), index)) for address, page in PAGES.items()),
        ]
        self.addresses = Map([Rule(address, methods=[method], endpoint=to) for method, address, to in actions])

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        with Form(environ) as request:
            response = self.answer(request)
            self.index.log.append(Request(request.method, request.path, response.status_code))
        return response(environ, start_response)

    def answer(self, request: WebRequest) -> Response:
        """Return the answer to a request; a mistake of the index is kept, and answered with 500."""
        if status := request.environ["loopback.status"]:
            return Response("Try again.\n", status, {"Retry-After": "1"} if status == TOO_MANY else None)
        try:
            endpoint, values = self.addresses.bind_to_environ(request.environ).match()
            return cast(Answer, endpoint)(request, **values)
        except RefusedError as error:
            return refusal(request, error)
        except HTTPException as error:
            return error.get_response(request.environ)
        except Exception as error:  # noqa: BLE001 - it is for whoever runs the index, not for who asks it
            self.index.errors.append(error)
            return Response("Internal Server Error\n", 500)

    def upload(self, request: WebRequest) -> Response:
        """Take a file."""
        form = dict(request.form.lists())
        action = request.args.get(":action") or first(form, ":action")
        if action in {"submit", "submit_pkg_info"}:
            raise refused("registration")
        if action != "file_upload":
            raise refused("no-action")
        if odd := sorted(request.files.keys() - {"content", "gpg_signature"}):
            raise refused("file-for-text", field=odd[0])
        token = minting.identify(self.index, request.headers.get("Authorization", ""))
        upload, file = Upload(sanitize(form)), request.files.get("content")
        if file is not None:
            # Where a form does not say what a part of it is, it is text (RFC 7578).
            kind = file.headers.get("Content-Type", "text/plain")
            upload = Upload(upload.form, file.filename, file.read(), kind)
        take(self.index, token, upload)
        return Response("", 200)

    def mint(self, request: WebRequest) -> Response:
        """Exchange an identity for a token."""
        return as_json(minting.mint(self.index, self.provider, request.get_data()))

    def identity(self, request: WebRequest, job: str) -> Response:
        """Tell a job who it is, as GitHub does."""
        audience = request.args.get("audience", "")
        token = self.provider.answer(job, request.headers.get("Authorization", ""), audience)
        return as_json({"value": token}) if token else as_json({"message": "Unauthorized"}, 401)


def refusal(request: WebRequest, error: RefusedError) -> Response:
    """Return the answer to what is refused.

    For a token it is JSON (PyPI's source, warehouse/oidc/views.py, _invalid). For an upload the words are in the status
    line (warehouse/forklift/utils.py, _exc_with_message) and in the body, which is of the kind that the client likes
    best, as Pyramid writes it.
    """
    status, words = error.status, error.words
    if error.code:
        errors = [{"code": error.code, "description": words}]
        return as_json({"message": "Token request failed", "errors": errors}, status)
    # A status line has Latin letters only.
    line = f"{status} {words.encode('iso-8859-1', 'replace').decode('iso-8859-1')}"
    explanation, title = EXPLANATIONS[status], HTTP_STATUS_CODES[status]
    kind = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/plain")
    if kind == "text/html":
        text = f"<h1>{html.escape(line)}</h1>\n  {html.escape(explanation)}<br/><br/>\n{html.escape(words)}\n"
        body = f"<html>\n <head>\n  <title>{html.escape(line)}</title>\n </head>\n <body>\n  {text}\n </body>\n</html>"
    elif kind == "application/json":
        body = json.dumps({"message": f"{explanation}\n\n\n{words}\n\n", "code": line, "title": title})
    else:
        body = f"{line}\n\n{explanation}\n\n\n{words}\n\n"
    return Response(body, line, mimetype=kind)
