"""What every API shares: permissions, pages, filters, sentences and problems."""
