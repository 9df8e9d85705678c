"""jobs that can be told to stop; which product versions a document is for"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cancelling", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("documents", sa.Column("products", sa.JSON(), nullable=True))
    _spread_products()


def downgrade() -> None:
    op.drop_column("documents", "products")
    op.drop_column("jobs", "cancelling")


def _spread_products() -> None:
    """What the active revisions' heads say already."""
    documents = sa.table("documents", sa.column("key"), sa.column("active_revision"), sa.column("products", sa.JSON()))
    revisions = sa.table("revisions", sa.column("document"), sa.column("number"), sa.column("head", sa.JSON()))
    d, r = documents.c, revisions.c
    connection = op.get_bind()
    query = sa.select(d.key, r.head).join(revisions, sa.and_(r.document == d.key, r.number == d.active_revision))
    for key, head in connection.execute(query).all():
        products = (json.loads(head) if isinstance(head, str) else head).get("products")
        if products:
            connection.execute(sa.update(documents).where(d.key == key).values(products=products))
