"""Everything between the browser and the rest: access, errors, addresses, views."""
