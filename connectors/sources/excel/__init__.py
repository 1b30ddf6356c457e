"""Sources: workbooks."""
