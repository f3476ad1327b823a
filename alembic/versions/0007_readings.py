"""Who reviewed a text, and when."""

import sqlalchemy as sa

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up. Of what was marked as reviewed before, nobody knows who read it."""
    op.add_column('revisions', sa.Column('reviewed_by', sa.Text(), nullable=True))
    op.add_column('revisions', sa.Column('reviewed_on', sa.Date(), nullable=True))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column('revisions', 'reviewed_on')
    op.drop_column('revisions', 'reviewed_by')
