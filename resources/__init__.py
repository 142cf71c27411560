"""All that touches the world: settings, Postgres, models, platforms, files."""
