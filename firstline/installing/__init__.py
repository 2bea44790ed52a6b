"""Makes a service of an agent or a worker: user, folders, unit, settings for this very board."""
