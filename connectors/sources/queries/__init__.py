"""Sources: queries of the workspace, for every kind of database."""
