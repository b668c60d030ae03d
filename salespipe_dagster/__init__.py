"""The orchestration: what Dagster sees of salespipe."""

import warnings

# Beta in Dagster, each used on purpose: a range as one run, the digest as data version, selections.
warnings.filterwarnings("ignore", message="Parameter `(backfill_policy|data_version|include_sources)`")
