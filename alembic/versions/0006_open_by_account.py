"""What waits to be sent, found by account: the first of a queue without reading the rest, or those of other channels."""

import sqlalchemy as sa

from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.drop_index('ix_outbox_open', table_name='outbox')
    op.create_index('ix_outbox_open', 'outbox', ['channel', 'account', 'priority', 'id'], unique=False, postgresql_where=sa.text("status = 'queued'"))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index('ix_outbox_open', table_name='outbox')
    op.create_index('ix_outbox_open', 'outbox', ['priority', 'id'], unique=False, postgresql_where=sa.text("status = 'queued'"))
