"""What is kept of somebody who follows a link of ours: from which site, and whether it was a program. Nothing else.

What belongs here: reading the headers of a request. Neither an address on the network nor a name of a browser comes
out of it, so neither can be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

import regex

LONGEST_HOST = 253
# In the place of sites beyond those that are told apart.
OTHER_HOSTS = "other"
# Substrings by which programs name themselves, among them those that fetch a preview of every link that is posted.
# CUBOT makes telephones.
# Sources: docs.x.com cards/getting-started (Twitterbot), developers.facebook.com sharing/webmasters/web-crawlers
# (facebookexternalhit), api.slack.com robots (Slackbot), developers.google.com search crawlers (Googlebot and others).
BOTS = regex.compile(
    r"(?i)(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|embedly|whatsapp|vkshare|headless|python-|curl/|wget/"
    r"|go-http-client|java/|okhttp|axios|node-fetch|httpx|scrapy|libwww|monitor|validator|fetcher|scanner"
)
# A browser that loads a page before anybody asked for it says so. Sources: fetch.spec.whatwg.org (Sec-Purpose), and the
# older Purpose and X-Moz of Chromium and Firefox.
EARLY = ("sec-purpose", "purpose", "x-purpose", "x-moz")
# A browser that embeds an address rather than opens it says so too, and a page can embed any. Source:
# w3.org/TR/fetch-metadata, sections 2.1 and 2.2.
OPENED = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
_HOST = regex.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: the host that the visitor came from, empty where it is not told; whether a program says it is one."""

    referrer_host: str
    is_bot: bool


def visit_of(method: str, headers: Mapping[str, str]) -> Visit | None:
    """What counts of a request; None where nobody looked: it asks for headers alone, loads ahead, or embeds.

    Args:
        method: of the request, upper case.
        headers: by lower-case name.

    >>> visit_of("GET", {"referer": "https://www.reddit.com/r/x?y=1", "user-agent": "Mozilla/5.0 Firefox/140.0"})
    Visit(referrer_host='www.reddit.com', is_bot=False)
    """
    said = " ".join(headers.get(name, "") for name in EARLY).lower()
    if method != "GET" or "prefetch" in said or "preview" in said or "prerender" in said:
        return None
    if any(headers.get(name, opened) != opened for name, opened in OPENED.items()):
        return None
    agent = headers.get("user-agent", "")
    return Visit(_host(headers.get("referer", "")), not agent.strip() or BOTS.search(agent) is not None)


def _host(referrer: str) -> str:
    try:
        host = (urlsplit(referrer.strip()).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    # An address on the network is nobody's site, and may be somebody's own.
    is_name = not host.rpartition(".")[2].isdigit()
    return host if is_name and len(host) <= LONGEST_HOST and _HOST.fullmatch(host) else ""


def with_click(target: str, code: str, parameter: str, own_hosts: frozenset[str]) -> str:
    """The target with the link's code, where it leads to a site of the creator's own, which may tell us later.

    >>> with_click("https://shop.example/a?b=c#t=5", "2b3c", "rj", frozenset({"shop.example"}))
    'https://shop.example/a?b=c&rj=2b3c#t=5'
    >>> with_click("https://youtu.be/a", "2b3c", "rj", frozenset({"shop.example"}))
    'https://youtu.be/a'
    """
    parts = urlsplit(target)
    if (parts.hostname or "").lower() not in own_hosts:
        return target
    own = f"{quote(parameter, safe='')}={quote(code, safe='')}"
    known = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == parameter for name, _ in known):
        return target
    return parts._replace(query="&".join(filter(None, (parts.query, own)))).geturl()
