"""what agents did with suggestions, statement by statement, what they corrected, and the tickets made of it"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ADDED = {
    "intent": 64, "generator": 128, "prompt_version": 64, "corrected_intent": 64, "corrected_mood": 16,
}  # fmt: skip


def upgrade() -> None:
    op.add_column("suggestions", sa.Column("turns", sa.Integer()))
    op.add_column("feedback", sa.Column("copied", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, length in ADDED.items():
        op.add_column("feedback", sa.Column(name, sa.String(length=length)))
    op.add_column("feedback", sa.Column("corrected_escalation", sa.Boolean()))
    op.create_table(
        "fates",
        sa.Column("feedback", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=512), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("clicked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["feedback"], ["feedback.id"], name=op.f("fk_fates_feedback_feedback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feedback", "statement", "document_id", name=op.f("pk_fates")),
    )
    op.create_index(op.f("ix_fates_document_id"), "fates", ["document_id"])
    op.create_table(
        "learned",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=512), nullable=False),
        sa.Column("suggestion", sa.String(length=64), nullable=False),
        sa.Column("principal", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("workspace", "document_id", name=op.f("pk_learned")),
    )


def downgrade() -> None:
    op.drop_table("learned")
    op.drop_table("fates")
    with op.batch_alter_table("feedback") as batch:
        for name in ("copied", *ADDED, "corrected_escalation"):
            batch.drop_column(name)
    op.drop_column("suggestions", "turns")
