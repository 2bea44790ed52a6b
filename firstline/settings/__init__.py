"""Settings files: TOML in, frozen models out, or every error with its file and line."""
