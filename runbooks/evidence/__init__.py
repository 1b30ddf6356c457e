"""Evidence: entries that hold each other's hashes, what signs them, and what verifies them from the files alone."""
