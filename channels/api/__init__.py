"""The API of channels."""
