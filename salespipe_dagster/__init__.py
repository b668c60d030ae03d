"""The orchestration: what Dagster sees of salespipe."""
