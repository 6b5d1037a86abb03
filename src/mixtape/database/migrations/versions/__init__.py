"""The steps, one module each; their names begin with their revision."""
