"""`from support.postgres import Postgres`: one real PostgreSQL for a test."""
from .cluster import Postgres

__all__ = ["Postgres"]
