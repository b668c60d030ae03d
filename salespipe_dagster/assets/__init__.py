"""Assets: the source, the files, the tables made from contracts, the charts, the report."""
