"""Assets: the source, the tables made from contracts, the charts."""
