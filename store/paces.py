"""Until when an account and a chat rest, before anything more is sent."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text

from store.metadata import Moment, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("next_send_at", Moment, nullable=False),
    PrimaryKeyConstraint("channel", "account"),
)

# Beside the conversations and not in them: a turn holds its conversation's row for as long as it takes to
# understand a message, and sending must not wait for that.
chats = Table(
    "chats",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("next_send_at", Moment, nullable=False),
)
