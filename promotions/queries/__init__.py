"""What promotions ask the database."""
