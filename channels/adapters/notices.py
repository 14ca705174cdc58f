"""What the adapters of messages to people share: nothing is sent before the channel's option ``live`` is true. Pure."""

from typing import Final

from audit.rules.sentences import say
from channels.adapters.protocol import Connection, Rejected
from channels.messages import Notice, Outgoing
from channels.rules import texts

LONGEST_SUBJECT: Final = 200


def notice_of(message: Outgoing, platform: str) -> Notice:
    """Return the message that is for a person; raises ``Rejected`` for anything else, and for one without text."""
    if not isinstance(message, Notice):
        raise Rejected(say("%(platform)s takes messages to people, nothing else.", platform=platform))
    if not message.text.strip():
        raise Rejected(say("The message has no text."))
    return message


def is_live(connection: Connection) -> bool:
    """Say whether messages are really sent: only when the option ``live`` is true itself."""
    return connection.options.get("live") is True


def shown(notice: Notice) -> str:
    """Return what would have been sent, for the outbox: this is all that a channel that is not live does."""
    return (
        f"not sent (the channel is not live)\nTo: {notice.to}\nSubject: {subject(notice)}\n\n{texts.fit(notice.text)}"
    )


def subject(notice: Notice) -> str:
    """Return a subject of one line."""
    return texts.shown(notice.subject, limit=LONGEST_SUBJECT)
