"""What is kept of a visit: a host and whether a program came, never who."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.visits import LONGEST_HOST, Visit, visit_of, with_click

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


CUBOT = (
    "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
    "Safari/537.36"
)


@pytest.mark.parametrize(
    "embedded",
    [
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    ],
)
def test_what_a_page_embeds_is_no_visit(embedded):
    assert visit_of("GET", {"user-agent": FIREFOX, **embedded}) is None
    opened = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert visit_of("GET", {"user-agent": FIREFOX, **opened}) == Visit("", False)


@pytest.mark.parametrize("agent", [FIREFOX, SAFARI, CUBOT])
def test_people_are_no_bots(agent):
    assert visit_of("GET", {"user-agent": agent}) == Visit("", False)


@pytest.mark.parametrize(
    "agent",
    [
        "", "  ", "Twitterbot/1.0", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "curl/8.5.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "python-requests/2.32",
        "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36", "WhatsApp/2.23", "redditbot/1.0",
        "Go-http-client/2.0", "Mozilla/5.0 (compatible; Discordbot/2.0)", "TelegramBot (like TwitterBot)",
    ],
)  # fmt: skip
def test_programs_are_told_apart(agent):
    visit = visit_of("GET", {"user-agent": agent})
    assert visit is not None and visit.is_bot


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://www.reddit.com/r/x?y=1#z", "www.reddit.com"),
        ("https://T.CO/abc", "t.co"),
        ("https://ann:pw@example.com./a", "example.com"),
        ("http://[::1", ""),
        ("http://192.168.0.7:80/", ""),
        ("http://203.0.113.9/blog", ""),
        ("http://[2001:db8::1]/", ""),
        ("android-app://com.reddit.frontpage/", "com.reddit.frontpage"),
        ("about:blank", ""),
        ("https://localhost/", ""),
        ("https://a\0b.example/", ""),
        (f"https://{'a' * 300}.example/", ""),
    ],
)
def test_of_a_referrer_only_the_host_is_kept(referrer, host):
    visit = visit_of("GET", {"referer": referrer, "user-agent": FIREFOX})
    assert visit is not None and visit.referrer_host == host


@given(st.text(max_size=300), st.text(max_size=80))
def test_whatever_is_sent_can_be_stored(referrer, agent):
    visit = visit_of("GET", {"referer": referrer, "user-agent": agent})
    assert visit is not None
    assert len(visit.referrer_host) <= LONGEST_HOST and visit.referrer_host.isascii()


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"sec-purpose": "prefetch"}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"x-purpose": "preview"}),
        ("GET", {"x-moz": "prefetch"}),
    ],
)
def test_who_does_not_look_is_not_counted(method, headers):
    assert visit_of(method, {"user-agent": FIREFOX, **headers}) is None


@given(
    st.sampled_from(["https://shop.example", "https://shop.example/a?b=c&d=", "https://shop.example/a#t=5"]),
    st.text("abcXYZ019", min_size=12, max_size=12),
)
def test_the_code_is_told_once_and_the_rest_stays(target, code):
    own = frozenset({"shop.example"})
    told = with_click(target, code, "rj", own)
    before, after = urlsplit(target), urlsplit(told)
    assert parse_qs(after.query)["rj"] == [code]
    assert after.query.startswith(before.query) and after.fragment == before.fragment
    assert with_click(told, "other", "rj", own) == told
    assert with_click(target, code, "rj", frozenset({"example"})) == target
