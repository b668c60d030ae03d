"""Resources by role: source_db, files, lake, engine, maker, cluster."""
