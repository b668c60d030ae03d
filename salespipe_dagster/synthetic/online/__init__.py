"""The company's online shop: a seeded generator of the files that it drops, and of its own books."""
