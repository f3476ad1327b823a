"""What platforms allow: windows, replies with the request, tokens, cursors, and how each channel is."""

import sqlalchemy as sa

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table('access_tokens',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('token', sa.Text(), nullable=True),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fetching_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('channel', 'account', name=op.f('pk_access_tokens'))
    )
    op.create_table('cursors',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('cursor', sa.Text(), server_default='', nullable=False),
    sa.Column('token', sa.Text(), server_default='', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('rung_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('channel', 'account', name=op.f('pk_cursors'))
    )
    op.create_table('channel_health',
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('last_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_out_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('last_error_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('channel', 'account', name=op.f('pk_channel_health'))
    )
    op.create_table('budgets',
    sa.Column('conversation_id', sa.UUID(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('remaining', sa.Integer(), nullable=True),
    sa.Column('reply_code', sa.Text(), nullable=True),
    sa.Column('reply_code_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_budgets_conversation_id_conversations'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('conversation_id', name=op.f('pk_budgets'))
    )
    op.add_column('inbox', sa.Column('reply', sa.Text(), nullable=True))
    op.add_column('outbox', sa.Column('merged_into', sa.BigInteger(), nullable=True))
    op.create_index('ix_outbox_parked', 'outbox', ['conversation_id'], unique=False, postgresql_where=sa.text("status IN ('window-closed', 'quota-exhausted')"))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index('ix_outbox_parked', table_name='outbox')
    op.drop_column('outbox', 'merged_into')
    op.drop_column('inbox', 'reply')
    for table in ('budgets', 'channel_health', 'cursors', 'access_tokens'):
        op.drop_table(table)
