"""The conversation: arrivals in, replies out. May import core; only `bot.__main__` may import storage."""
