"""The host's database: tables, units of work, search."""
