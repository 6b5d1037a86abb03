"""The pages and the JSON that a browser gets: one module per page."""
