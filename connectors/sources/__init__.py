"""One module per kind of legacy system."""
