"""The sink webhook: a signed POST of JSON to an address of one's own."""

from dataclasses import dataclass

from pydantic import SecretStr

from rejoinder.notices.webhooks import signature, webhook_body
from resources.notifications.message import Message
from resources.notifications.posting import Wire, post


@dataclass(frozen=True, slots=True)
class Webhook:
    """Signed where there is a secret; the address may be a secret itself."""

    url: SecretStr
    secret: SecretStr | None
    wire: Wire

    def send(self, message: Message) -> None:
        """POST the message; raises NotTaken."""
        body = webhook_body(
            message.event, message.notices, installation=message.installation, address=message.review_app
        )
        at = self.wire.now()
        headers = {"webhook-id": message.id, "webhook-timestamp": str(int(at.timestamp()))}
        if self.secret:
            headers["webhook-signature"] = signature(self.secret.get_secret_value(), message.id, at, body)
        post(self.wire, self.url.get_secret_value(), body, headers)
