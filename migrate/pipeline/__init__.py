"""The pipeline: from a relation to committed batches."""
