"""A real PostgreSQL and a real Valkey out of wheels, for machines that have neither. No Django in here."""
