"""`conflicts`: records that people edited or made: listed, shown with both sides, settled by name."""
