"""`from support.kafka import Kafka`: one real broker for a test."""
from .broker import Kafka

__all__ = ["Kafka"]
