"""Files that land: one content of a file is a version, parsed into parts of the lake or put aside, once."""
