"""The latest of each kind of news about our accounts. No contacts, no words."""

import json

from openparallax.model.messages import News
from openparallax.storage.database import Connection


def keep(connection: Connection, news: News) -> None:
    """Keep ``news`` unless something newer of its kind is known."""
    connection.execute(
        "INSERT INTO news VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (business, field, subject) DO UPDATE SET event = excluded.event, "
        "facts = excluded.facts, weight = excluded.weight, at = excluded.at "
        "WHERE excluded.at >= news.at",
        (
            news.business,
            news.field,
            news.subject,
            news.event,
            json.dumps(dict(news.facts), sort_keys=True),
            int(news.weight),
            news.at,
        ),
    )


def latest(connection: Connection) -> list[tuple[str, str, str, str, str, int, int]]:
    """All that is known: business, field, subject, event, facts (JSON), weight, timestamp."""
    return connection.execute("SELECT * FROM news ORDER BY business, field, subject").fetchall()
