"""I/O managers: MySQL, the lake, chart files, the report."""
