"""Sources: what every kind of file shares."""
