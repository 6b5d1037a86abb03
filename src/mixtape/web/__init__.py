"""The web side of the host: access, errors, addresses, views."""
