"""The sink PagerDuty: an event of its Events API v2 for each notice."""

import json
from dataclasses import dataclass

from pydantic import SecretStr

from rejoinder.notices.incidents import incident
from resources.notifications.message import Message
from resources.notifications.posting import Wire, post


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Events of one service's integration; PagerDuty joins what has the same dedup_key."""

    base_url: str
    routing_key: SecretStr
    wire: Wire

    def send(self, message: Message) -> None:
        """Enqueue an event for each notice; raises NotTaken."""
        for notice in message.notices:
            event = incident(
                message.event,
                notice,
                routing_key=self.routing_key.get_secret_value(),
                installation=message.installation,
                address=message.review_app,
            )
            post(self.wire, f"{self.base_url.rstrip('/')}/v2/enqueue", json.dumps(event).encode(), {})
