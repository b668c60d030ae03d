"""Monthly figures by business grain, one file a table."""
