"""Who is calling: OAuth 1.0a signatures and bearer tokens of X, access tokens of Reddit.

X clients sign before any rewriting of the address, so the signature is checked over the
addresses a client may believe it talks to (RFC 5849, HMAC-SHA1).
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from resources.sandbox.credentials import Credentials
from resources.sandbox.exchange import Call, Who
from resources.sandbox.state import State

X_BASES = ("https://api.twitter.com", "https://api.x.com")
TOKEN_LIFE_S = 3600.0


def x_caller(call: Call) -> Who:
    """Whose token an X request carries: the app's, the account's, or nobody's."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    keys = call.world.credentials.x
    if scheme.lower() == "bearer":
        return bearer_caller(value.strip(), keys)
    if scheme.lower() == "oauth" and is_signed(call, parse_oauth_header(value), keys):
        return "user"
    return "nobody"


def bearer_caller(token: str, keys: Mapping[str, str]) -> Who:
    """Whose bearer token this is."""
    if same(token, keys["bearer_token"]):
        return "app"
    return "user" if same(token, keys["oauth2_user_token"]) else "nobody"


def same(given: str, expected: str) -> bool:
    """Equality that takes the same time for every wrong value."""
    return hmac.compare_digest(given.encode("utf-8"), expected.encode("utf-8"))


def parse_oauth_header(value: str) -> dict[str, str]:
    """The parameters of an ``OAuth`` Authorization header, decoded.

    >>> parse_oauth_header('oauth_token="a%20b", oauth_nonce="1"')
    {'oauth_token': 'a b', 'oauth_nonce': '1'}
    """
    return {name: unquote(content) for name, content in re.findall(r'([a-z_]+)="([^"]*)"', value)}


def is_signed(call: Call, oauth: Mapping[str, str], keys: Mapping[str, str]) -> bool:
    """Whether the header was signed by the account, for one of the known addresses."""
    if not same(oauth.get("oauth_consumer_key", ""), keys["consumer_key"]):
        return False
    if not same(oauth.get("oauth_token", ""), keys["access_token"]):
        return False
    parameters = [(name, value) for name, value in oauth.items() if name != "oauth_signature"]
    parameters += list(call.query.items()) + list(call.form.items())
    given = oauth.get("oauth_signature", "")
    bases = (*X_BASES, call.host)
    return any(same(given, sign(call.method, base + call.path, parameters, keys)) for base in bases)


def sign(method: str, address: str, parameters: Iterable[tuple[str, str]], keys: Mapping[str, str]) -> str:
    """The HMAC-SHA1 signature of a request (RFC 5849, section 3.4), base64."""
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    text = "&".join(quote(part, safe="") for part in (method.upper(), address, joined))
    key = quote(keys["consumer_secret"], safe="") + "&" + quote(keys["access_token_secret"], safe="")
    digest = hmac.new(key.encode("ascii"), text.encode("ascii"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def is_reddit_client(call: Call) -> bool:
    """Whether the Basic header names the sandbox's Reddit app."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    keys = call.world.credentials.reddit
    try:
        given = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return False
    return scheme.lower() == "basic" and same(given, f"{keys['client_id']}:{keys['client_secret']}")


def granted_account(form: Mapping[str, str], credentials: Credentials) -> str | None:
    """The account a token request is for ("" = the app alone), or None when it is refused."""
    keys = credentials.reddit
    grant = form.get("grant_type", "")
    if grant == "password" and same(form.get("password", ""), keys["password"]):
        return (
            credentials.account if form.get("username", "").lower() == credentials.account.lower() else None
        )
    if grant == "refresh_token" and same(form.get("refresh_token", ""), keys["refresh_token"]):
        return credentials.account
    return "" if grant == "client_credentials" else None


def issue_token(state: State, account: str) -> str:
    """A new Reddit access token, good for an hour of real time, as clients count it."""
    token = secrets.token_urlsafe(24)
    state.db.execute("INSERT INTO token VALUES (?, ?, ?)", (token, account, time.time() + TOKEN_LIFE_S))
    return token


def reddit_caller(call: Call) -> Who:
    """Whose access token a Reddit request carries."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return "nobody"
    row = call.world.state.db.execute(
        "SELECT account FROM token WHERE token = ? AND expires_at > ?", (token.strip(), time.time())
    ).fetchone()
    if row is None:
        return "nobody"
    return "user" if row["account"] else "app"
