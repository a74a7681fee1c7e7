"""One Starlette application for each family of sites, and the application of one episode: a site over its database.

Every page is rendered on the server with autoescaping, and has no script. The episode's database and theme travel in
the scope of a request, so one application serves any number of episodes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader

from assay.core.errors import ConfigError, ToolError
from assay.envs.database import Database
from assay.envs.web.drivers.asgi import App
from assay.envs.web.sites.blocks import Link, Links, Prose, Redirect, View
from assay.envs.web.sites.site import Handler, Site, Visit
from assay.envs.web.sites.theme import Theme

try:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Route
except ImportError:
    raise ConfigError("web environments need starlette: pip install 'assay-rl[web]'") from None

_TEMPLATES = Environment(
    loader=PackageLoader("assay.envs.web.sites"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_PAGE = _TEMPLATES.get_template("page.html.j2")
_SCOPE_KEY = "assay.episode"


def episode_app(site: Site, database: Database, theme: Theme) -> App:
    """Return the application of one episode."""
    application = _application(type(site))

    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        scope[_SCOPE_KEY] = (site, database, theme)
        await application(scope, receive, send)

    return app


@lru_cache(maxsize=32)
def _application(kind: type[Site]) -> Starlette:
    handlers = [getattr(kind, name) for name in dir(kind) if hasattr(getattr(kind, name), "route")]
    routes = [Route(h.route[1], _endpoint(h), methods=[h.route[0]]) for h in handlers]
    routes.append(Route("/refused", _refused))
    return Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing})


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        site, database, theme = request.scope[_SCOPE_KEY]
        sent = (await request.body()).decode("utf-8", "replace") if request.method == "POST" else request.url.query
        values = dict(parse_qsl(sent, keep_blank_values=True))
        try:
            answer = handler(site, Visit(database, theme, values), **request.path_params)
        except ToolError as refusal:
            if request.method == "POST":  # every page that is shown can be opened again, so going back is safe
                answer = Redirect(f"/refused?{urlencode({'reason': str(refusal)})}")
            else:
                answer = _refusal(theme, str(refusal))
        if isinstance(answer, Redirect):
            return RedirectResponse(answer.path, status_code=303)
        return _render(site, theme, answer)

    return endpoint


async def _refused(request: Request) -> Response:
    site, _, theme = request.scope[_SCOPE_KEY]
    return _render(site, theme, _refusal(theme, request.query_params.get("reason", "")))


async def _missing(request: Request, _: Exception) -> Response:
    site, _, theme = request.scope[_SCOPE_KEY]
    return _render(site, theme, _refusal(theme, "there is no such page", status=404))


def _refusal(theme: Theme, reason: str, status: int = 400) -> View:
    home = Links((Link(theme.say("home"), "/"),))
    return View("Not possible", (Prose(f"Not possible: {reason}"), home), status)


def _render(site: Site, theme: Theme, view: View) -> Response:
    links = () if theme.plain else site.menu(theme)
    return HTMLResponse(_PAGE.render(view=view, theme=theme, links=links), status_code=view.status)
