"""Targets: one file per target database."""
