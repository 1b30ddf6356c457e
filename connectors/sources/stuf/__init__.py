"""Sources: StUF messages, folded into a row per entity."""
