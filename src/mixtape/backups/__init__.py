"""All mixtapes and covers as one file, and what is in such a file put back."""
