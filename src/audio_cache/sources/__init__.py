"""Music files as their headers describe them: form, length to the sample, tags."""
