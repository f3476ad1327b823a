"""The part of its group under which an entry is listed."""

import sqlalchemy as sa

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up. Entries that are there get their section with the next import."""
    op.add_column('entries', sa.Column('section', sa.Text(), nullable=False, server_default=''))
    op.alter_column('entries', 'section', server_default=None)


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column('entries', 'section')
