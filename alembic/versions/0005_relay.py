"""The relay desk and the phone gateway: messages in quarantine, and who did what by hand."""

import sqlalchemy as sa

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up."""
    op.create_table('quarantine',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('event_key', sa.Text(), nullable=False),
    sa.Column('app', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.UUID(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_quarantine_conversation_id_conversations'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quarantine')),
    sa.UniqueConstraint('channel', 'account', 'event_key', name=op.f('uq_quarantine_channel_account_event_key'))
    )
    op.create_index('ix_quarantine_waiting', 'quarantine', ['id'], unique=False, postgresql_where=sa.text("status = 'waiting'"))
    op.create_table('relay_acts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('conversation_id', sa.UUID(), nullable=True),
    sa.Column('staff_id', sa.UUID(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('object', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_relay_acts_conversation_id_conversations'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_relay_acts_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_relay_acts'))
    )
    op.create_index(op.f('ix_relay_acts_at'), 'relay_acts', ['at'], unique=False)
    op.create_index(op.f('ix_relay_acts_conversation_id'), 'relay_acts', ['conversation_id'], unique=False)


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table('relay_acts')
    op.drop_table('quarantine')
