"""Those who use a mixtape: users and their devices, and what each of them likes and plays."""
