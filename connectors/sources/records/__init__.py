"""Sources: what XML and JSON share."""
