"""The doors of channels for machines."""
