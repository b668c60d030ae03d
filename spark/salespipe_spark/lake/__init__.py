"""The lake: where published tables lie, and the only way to get there: stage, audit, publish."""
