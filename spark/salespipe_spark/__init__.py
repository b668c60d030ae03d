"""What the tables are: contracts, transforms and the lake. Ships alone to a cluster, knows nothing of Dagster."""
