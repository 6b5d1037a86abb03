"""The web server that carries the application."""
