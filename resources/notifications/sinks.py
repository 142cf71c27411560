"""Sinks made of their tuning and the secrets of the environment."""

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from resources.notifications.mail import Mail
from resources.notifications.message import NotTaken, Sink
from resources.notifications.pagerduty import PagerDuty
from resources.notifications.posting import Wire
from resources.notifications.webhook import Webhook
from resources.settings import key_variable, model_key
from resources.tuning_notifications import (
    MailSink,
    Notifications,
    PagerDutySink,
    SinkTuning,
    WebhookSink,
    is_safe_address,
)


def open_sink(tuning: SinkTuning, timeout_s: float) -> Sink:
    """The sink; nothing is connected before a message is sent.

    Raises:
        NotTaken: a secret that it needs is not in the environment; the message names the variable.
    """
    wire = Wire(timeout_s, tuning.ca_file)
    match tuning:
        case WebhookSink():
            return Webhook(_address(tuning), model_key(tuning.name), wire)
        case MailSink():
            return Mail(tuning, _needed(tuning.name) if tuning.user else None, wire)
        case PagerDutySink():
            return PagerDuty(tuning.base_url, _needed(tuning.name), wire)
    raise NotTaken(f"nobody knows how to send to {tuning.name}")


def _address(tuning: WebhookSink) -> SecretStr:
    if tuning.url is not None:
        return SecretStr(tuning.url)
    url = _needed(f"{tuning.name}_url")
    if not is_safe_address(url.get_secret_value(), allow_http=tuning.allow_http):
        raise NotTaken(f"{key_variable(tuning.name + '_url')} must begin with https:// and hold no password")
    return url


def _needed(name: str) -> SecretStr:
    key = model_key(name)
    if key is None:
        raise NotTaken(f"{key_variable(name)} is not set")
    return key


def sink_named(notifications: Notifications, name: str) -> SinkTuning:
    """The tuning of a sink.

    Raises:
        ConfigInvalid: there is no such sink; the message lists them.
    """
    for sink in notifications.sinks:
        if sink.name == name:
            return sink
    known = ", ".join(sink.name for sink in notifications.sinks) or "none yet, see docs/notifications.md"
    raise ConfigInvalid(f"There is no sink {name!r}; there are: {known}.")
