"""Weaknesses in the checking of addresses: hosts recognised by a piece of text, redirects that leave the site."""

from __future__ import annotations

from assay.envs.code.weaknesses.base import Draw, Family, Weakness, attack, call, fill

_HOST = '''
from urllib.parse import urlsplit


def $f($url):
    """Say whether an address leads to our own host $host, by https."""
    return $check
'''


def request_forgery(draw: Draw) -> Weakness:
    """Recognise a host by how the address begins."""
    f, url, host = draw.one(["is_ours", "may_fetch", "allowed"]), draw.one(["url", "address"]), f"{draw.word()}.example"
    check = draw.one([f'{url}.startswith("https://{host}")', f'{url}[: len("https://{host}")] == "https://{host}"'])
    safe = f'urlsplit({url}).scheme == "https" and urlsplit({url}).hostname == "{host}"'
    page, evil = draw.words(2)
    tricks = [
        f"https://{host}.{evil}.example/",
        f"https://{host}@{evil}.example/{page}",
        f"https://{host}{evil}.example",
    ]
    return Weakness(
        "request_forgery", "CWE-918", "server-side request forgery", f,
        fill(_HOST, f=f, url=url, host=host, check=check), fill(_HOST, f=f, url=url, host=host, check=safe),
        (call(f"https://{host}/{page}", expected=True), call(f"https://{host}", expected=True),
         call(f"https://{evil}.example/", expected=False), call(f"http://{host}/", expected=False)),
        tuple(attack(trick, returns=True) for trick in tricks),
    )  # fmt: skip


_REDIRECT = '''
def $f($target):
    """Return where to go after the login: the target if it is a path of this site, else $home."""
    if $check:
        return $target
    return "$home"
'''


def open_redirect(draw: Draw) -> Weakness:
    """Take every text that begins with a slash for a path."""
    f, target, home = draw.one(["after_login", "next_page", "go_on"]), draw.one(["target", "then"]), f"/{draw.word()}"
    one, two, evil = draw.words(3)
    check = draw.one([f'{target}.startswith("/")', f'{target}[:1] == "/"'])
    safe = f'{target}.startswith("/") and not {target}.startswith(("//", "/\\\\"))'
    return Weakness(
        "open_redirect", "CWE-601", "open redirect", f,
        fill(_REDIRECT, f=f, target=target, home=home, check=check),
        fill(_REDIRECT, f=f, target=target, home=home, check=safe),
        (call(f"/{one}", expected=f"/{one}"), call(f"/{one}/{two}", expected=f"/{one}/{two}"),
         call(f"https://{evil}.example", expected=home), call("", expected=home)),
        (attack(f"//{evil}.example", leaks=evil), attack(f"/\\{evil}.example/{one}", leaks=evil)),
    )  # fmt: skip


FAMILIES: tuple[Family, ...] = (request_forgery, open_redirect)
