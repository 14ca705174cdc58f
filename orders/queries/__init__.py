"""Questions about orders that two or more doors ask."""
