"""what a gap was about, which documents a suggestion used, and articles proposed from solved tickets"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("gaps", sa.Column("embedder", sa.String(length=64)))
    op.add_column("gaps", sa.Column("vector", sa.LargeBinary()))
    op.add_column("mentions", sa.Column("used", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "proposals",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.String(length=64)),
        sa.Column("reason", sa.Text()),
        sa.Column("document_id", sa.String(length=512)),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_proposals")),
    )
    op.create_table(
        "proposal_parts",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "proposal"],
            ["proposals.workspace", "proposals.id"],
            ondelete="CASCADE",
            name=op.f("fk_proposal_parts_workspace_proposals"),
        ),
        sa.ForeignKeyConstraint(
            ["document"], ["documents.key"], ondelete="CASCADE", name=op.f("fk_proposal_parts_document_documents")
        ),
        sa.PrimaryKeyConstraint("workspace", "proposal", "position", name=op.f("pk_proposal_parts")),
    )
    op.create_index(op.f("ix_proposal_parts_document"), "proposal_parts", ["document"])


def downgrade() -> None:
    op.drop_table("proposal_parts")
    op.drop_table("proposals")
    op.drop_column("mentions", "used")
    op.drop_column("gaps", "vector")
    op.drop_column("gaps", "embedder")
