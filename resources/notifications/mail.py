"""The sink e-mail: a letter by SMTP, over TLS unless the server is on this machine.

Source of the codes: RFC 5321, section 4.2 (4yz may pass, 5yz stays), RFC 4954 (535: credentials refused).
"""

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from pydantic import SecretStr

from rejoinder.notices.letters import letter
from resources.notifications.mail_server import Server, TlsServer, Watch
from resources.notifications.message import Message, NotTaken
from resources.notifications.posting import Wire
from resources.tuning_notifications import MailSink

# Bodies in ASCII, too: not every server says that it takes eight bits (RFC 6152).
PLAIN = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Mail:
    """Letters from one account; the password only where the server asks who it is."""

    tuning: MailSink
    password: SecretStr | None
    wire: Wire

    def send(self, message: Message) -> None:
        """Hand the letter to the mail server.

        Raises:
            NotTaken: the server cannot be reached in time, is not trusted, or refuses letter, sender or all receivers.
        """
        watch = Watch(self.wire.timeout_s * self.tuning.exchanges)
        try:
            with watch, closing(self._connect(watch)) as server:
                self._sign_in(server)
                refused = server.send_message(compose(self.tuning, message, self.wire.now()))
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()  # the letter is taken, whatever comes of the farewell
        except (OSError, smtplib.SMTPException) as error:
            if watch.is_over:
                raise NotTaken(f"the letter was not taken within {watch.limit_s:g} s") from None
            raise NotTaken(_trouble(error, self.wire.timeout_s)) from None
        if refused:
            raise NotTaken(f"{len(refused)} of {len(self.tuning.to)} receivers were refused", is_final=True)

    def _connect(self, watch: Watch) -> smtplib.SMTP:
        host, port, timeout_s = self.tuning.host, self.tuning.port, self.wire.timeout_s
        if self.tuning.security == "tls":
            return TlsServer(watch, host, port, timeout_s=timeout_s, context=self.wire.trust())
        server = Server(watch, host, port, timeout_s=timeout_s)
        if self.tuning.security == "starttls":
            try:
                server.starttls(context=self.wire.trust())
            except BaseException:
                server.close()
                raise
        return server

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self.tuning.user:
            server.login(self.tuning.user, self.password.get_secret_value() if self.password else "")


def compose(tuning: MailSink, message: Message, at: datetime) -> EmailMessage:
    """The letter as it goes out: lines and headers as RFC 5322 wants them, nothing beyond ASCII left unencoded.

    Args:
        tuning: from whom and to whom.
        message: what it tells.
        at: the time of sending, aware.
    """
    written = letter(
        message.event, message.notices, installation=message.installation, address=message.review_app
    )
    mail = EmailMessage(policy=PLAIN)
    mail["From"], mail["To"] = tuning.sender, ", ".join(tuning.to)
    mail["Subject"] = written.subject
    mail["Date"] = format_datetime(at)
    # The same when it is sent again: mailboxes join copies by it.
    mail["Message-ID"] = f"<{message.id}@{tuning.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(written.body)
    return mail


def _trouble(error: Exception, timeout_s: float) -> str:
    """What went wrong, without addresses and names."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason}"
    # smtplib tells a time-out as a server that hung up
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    # all that smtplib raises is an OSError, too
    return _said(error) if isinstance(error, smtplib.SMTPException) else "the mail server cannot be reached"


def _said(error: smtplib.SMTPException) -> str:
    """What the server said, by its code; its words may quote addresses or names, so they stay out."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"SMTP {error.smtp_code}: the server does not take user and password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "every receiver was refused"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"SMTP {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server offers no STARTTLS, no way to sign in, or takes no addresses beyond ASCII"
    return "the mail server hung up"
