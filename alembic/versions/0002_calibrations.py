"""What was fitted on the knowledge base."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table('calibrations',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('figures', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_calibrations'))
    )
    op.create_index(op.f('ix_calibrations_created_at'), 'calibrations', ['created_at'], unique=False)


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index(op.f('ix_calibrations_created_at'), table_name='calibrations')
    op.drop_table('calibrations')
