"""Sources: XML files."""
