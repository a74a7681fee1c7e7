"""One Starlette router for each family of sites, and the application of one episode: a site over its database.

Every page is rendered on the server (`sites.markup`). The episode's database and theme travel in the scope of a
request, so one router serves any number of episodes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from assay.core.errors import ConfigError, ToolError
from assay.envs.database import Database
from assay.envs.web.drivers.asgi import App
from assay.envs.web.sites import markup
from assay.envs.web.sites.blocks import Link, Links, Prose, Redirect, View
from assay.envs.web.sites.site import Handler, Site, Visit
from assay.envs.web.sites.theme import PLAIN, Theme

try:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Route, Router
except ImportError:
    raise ConfigError("web environments need starlette: pip install 'assay-rl[web]'") from None

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_SCOPE_KEY = "assay.episode"


@dataclass(frozen=True, slots=True)
class _Episode:
    site: Site
    database: Database
    theme: Theme
    base: str = ""
    """The path that the site lies under."""


def episode_app(sites: Sequence[tuple[Site, Theme]], database: Database) -> App:
    """Return the application of one episode: a site, or several under a start page that links to them."""
    if len(sites) == 1:
        ((site, theme),) = sites
        return _with(_Episode(site, database, theme))
    mounted = {site.name: _with(_Episode(site, database, theme, f"/{site.name}")) for site, theme in sites}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rest = scope["path"].lstrip("/").partition("/")
        if name in mounted:
            await mounted[name]({**scope, "path": f"/{rest}"}, receive, send)
        else:
            links = Links([Link(name, f"/{name}/") for name in mounted])
            view = View("sites", (links,)) if not name else View("sites", (Prose("there is no such page"), links), 404)
            await HTMLResponse(markup.page(view, PLAIN, ()), status_code=view.status)(scope, receive, send)

    return app


def _with(episode: _Episode) -> App:
    application = _application(type(episode.site))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_SCOPE_KEY] = episode
        await application(scope, receive, send)

    return app


@lru_cache(maxsize=32)
def _application(kind: type[Site]) -> Router:
    handlers = [getattr(kind, name) for name in dir(kind) if hasattr(getattr(kind, name), "route")]
    routes = [Route(h.route[1], _Endpoint(h), methods=[h.route[0]]) for h in handlers]
    routes.append(Route("/refused", _Endpoint(_refused), methods=["GET"]))
    routes.append(Route("/{path:path}", _Endpoint(_missing), methods=["GET", "POST"]))
    return Router(routes)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """A handler as an ASGI application of its own, which a route calls without Starlette's guards around functions."""

    handler: Handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        episode: _Episode = scope[_SCOPE_KEY]
        posted = scope["method"] == "POST"
        sent = await Request(scope, receive).body() if posted else scope["query_string"]
        values = dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            answer = self.handler(episode.site, Visit(episode.database, episode.theme, values), **scope["path_params"])
        except ToolError as refusal:
            if posted:  # every page that is shown can be opened again, so going back is safe
                answer = Redirect(f"/refused?{urlencode({'reason': str(refusal)})}")
            else:
                answer = _refusal(episode.theme, str(refusal))
        await _response(episode, answer)(scope, receive, send)


def _refused(site: Site, visit: Visit) -> View:
    return _refusal(visit.theme, visit.values.get("reason", ""))


def _missing(site: Site, visit: Visit, path: str) -> View:
    return _refusal(visit.theme, "there is no such page", status=404)


def _refusal(theme: Theme, reason: str, status: int = 400) -> View:
    home = Links((Link(theme.say("home"), "/"),))
    return View("Not possible", (Prose(f"Not possible: {reason}"), home), status)


def _response(episode: _Episode, answer: View | Redirect) -> Response:
    if isinstance(answer, Redirect):
        return RedirectResponse(episode.base + answer.path, status_code=303)
    links = () if episode.theme.plain else episode.site.menu(episode.theme)
    return HTMLResponse(markup.page(answer, episode.theme, links, episode.base), status_code=answer.status)
