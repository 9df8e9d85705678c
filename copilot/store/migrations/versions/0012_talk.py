"""what agents report of gaps in the knowledge"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("gaps", sa.Column("note", sa.Text()))
    op.add_column("gaps", sa.Column("reported_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("gaps", "reported_at")
    op.drop_column("gaps", "note")
