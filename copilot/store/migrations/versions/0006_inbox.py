"""what a conversation says at a glance, and when its messages last changed"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NEVER = "1970-01-01 00:00:00"


def upgrade() -> None:
    at = sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=NEVER)
    op.add_column("conversations", at)
    op.execute("UPDATE conversations SET changed_at = created_at")
    for column in ("changed_at", "resolved_at"):
        op.create_index(op.f(f"ix_conversations_workspace_{column}"), "conversations", ["workspace", column])
    op.create_table(
        "inbox",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=128), nullable=False),
        sa.Column("read_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer", sa.String(length=128), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=True),
        sa.Column("intent", sa.String(length=64), nullable=True),
        sa.Column("mood", sa.String(length=16), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "conversation"],
            ["conversations.workspace", "conversations.id"],
            name=op.f("fk_inbox_workspace_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "conversation", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_workspace_rank_since"), "inbox", ["workspace", "rank", "since"])
    op.create_index(op.f("ix_inbox_workspace_customer"), "inbox", ["workspace", "customer"])


def downgrade() -> None:
    op.drop_table("inbox")
    for column in ("changed_at", "resolved_at"):
        op.drop_index(op.f(f"ix_conversations_workspace_{column}"), "conversations")
    op.drop_column("conversations", "changed_at")
