"""`wave`: the old systems moved slice by slice."""
