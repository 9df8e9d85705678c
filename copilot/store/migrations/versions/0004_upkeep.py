"""whose ticket a document came from, who was erased, and what is set aside"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("customer", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["documents.key"], name=op.f("fk_customers_document_documents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document", "customer", name=op.f("pk_customers")),
    )
    op.create_index(op.f("ix_customers_customer"), "customers", ["customer"])
    op.create_table(
        "erased",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("customer", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "customer", name=op.f("pk_erased")),
    )
    op.create_table(
        "quarantine",
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("root", sa.String(length=1024), nullable=False),
        sa.Column("origin", sa.String(length=1024), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "root", "origin", name=op.f("pk_quarantine")),
    )


def downgrade() -> None:
    op.drop_table("quarantine")
    op.drop_table("erased")
    op.drop_table("customers")
