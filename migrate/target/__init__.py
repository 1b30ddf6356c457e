"""`db`: the target's schema, and the target opened, copied and read."""
