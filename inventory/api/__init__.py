"""The REST door to what may be promised."""
