"""What a browser sees: one module per page."""
