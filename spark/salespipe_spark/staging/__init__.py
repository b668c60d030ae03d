"""Typed mirrors of the source's tables, one file a table."""
