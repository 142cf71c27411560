"""Who is calling: OAuth 1.0a signatures and bearer tokens of X, access tokens of Reddit.

X clients sign before any rewriting of the address, so the signature is checked over the
addresses a client may believe it talks to (RFC 5849, HMAC-SHA1).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from resources.sandbox.credentials import READ_REFRESH, Account
from resources.sandbox.exchange import Call, Who
from resources.sandbox.tokens import FOR_READING, is_refused, token_holder

X_BASES = ("https://api.twitter.com", "https://api.x.com")


class Caller(NamedTuple):
    """Whose token a request carries; account is the handle, "" for an app of Reddit alone or nobody."""

    who: Who
    account: str
    client: str = ""
    may_write: bool = True


NOBODY = Caller("nobody", "")


def x_caller(call: Call) -> Who:
    """Whose token an X request carries: an app's, an account's, or nobody's."""
    return identify_x(call).who


def identify_x(call: Call) -> Caller:
    """Whose token an X request carries; the account of an app's token is the one that owns the app."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    for each in call.world.credentials.accounts():
        who = x_holder(call, scheme.lower(), value, each.x)
        if who != "nobody":
            return unless_refused(call, Caller(who, each.account, each.x["consumer_key"]))
        if scheme.lower() == "oauth" and is_signed(call, parse_oauth_header(value), read_keys(each.x)):
            caller = Caller("user", each.account, each.x["read_consumer_key"], may_write=False)
            return unless_refused(call, caller)
    return NOBODY


def read_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """An account's keys of the app that may only read, under their plain names."""
    prefix = "read_"
    return {name.removeprefix(prefix): value for name, value in keys.items() if name.startswith(prefix)}


def unless_refused(call: Call, caller: Caller) -> Caller:
    """The caller, or nobody while the account's keys are refused."""
    return NOBODY if is_refused(call.world.state, "x", caller.account) else caller


def x_holder(call: Call, scheme: str, value: str, keys: Mapping[str, str]) -> Who:
    """Whether an Authorization header is of the app or the account that these keys are of."""
    if scheme == "bearer":
        return bearer_caller(value.strip(), keys)
    if scheme == "oauth" and is_signed(call, parse_oauth_header(value), keys):
        return "user"
    return "nobody"


def bearer_caller(token: str, keys: Mapping[str, str]) -> Who:
    """Whose bearer token this is."""
    if same(token, keys["bearer_token"]):
        return "app"
    return "user" if same(token, keys["oauth2_user_token"]) else "nobody"


def account_of(call: Call) -> str:
    """The account that a call acts for: its token's, or the first one where it names none."""
    caller = identify_x(call) if call.path.startswith("/2/") else identify_reddit(call)
    return caller.account or call.world.credentials.account


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


def reddit_app(call: Call) -> Account | None:
    """The account whose app the Basic header names, or None."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return None
    for each in call.world.credentials.accounts():
        if scheme.lower() == "basic" and same(
            given, f"{each.reddit['client_id']}:{each.reddit['client_secret']}"
        ):
            return each
    return None


def granted_account(call: Call, app: Account) -> str | None:
    """The account a token request of an app is for ("" = the app alone), or None when it is refused."""
    form, keys = call.form, app.reddit
    grant, given = form.get("grant_type", ""), form.get("refresh_token", "")
    if is_refused(call.world.state, "reddit", app.account):
        return None
    if grant == "password" and same(form.get("password", ""), keys["password"]):
        return app.account if form.get("username", "").lower() == app.account.lower() else None
    if grant == "refresh_token" and (is_for_reading(call, app) or same(given, keys["refresh_token"])):
        return app.account
    return "" if grant == "client_credentials" else None


def is_for_reading(call: Call, app: Account) -> bool:
    """Whether a token request gives the refresh token whose scopes only read."""
    return same(call.form.get("refresh_token", ""), app.reddit[READ_REFRESH])


def identify_reddit(call: Call) -> Caller:
    """Whose access token a Reddit request carries."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    holder = token_holder(call.world.state, token.strip()) if scheme.lower() == "bearer" else None
    if holder is None:
        return NOBODY
    may_write = not token.strip().startswith(FOR_READING)
    return Caller("user" if holder.account else "app", holder.account, holder.client, may_write)
