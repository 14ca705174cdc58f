"""The REST door to orders and parcels, for reading."""
