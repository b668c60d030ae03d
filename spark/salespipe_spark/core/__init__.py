"""The star schema: dimensions and facts, one file a table."""
