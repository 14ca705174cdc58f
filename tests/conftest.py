"""What every test gets. The database and the broker come from the plugin tests/servers.py (see addopts)."""
