"""Resources by role: source_db, lake, engine."""
