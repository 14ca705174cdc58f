"""Questions about stock that several doors and engines ask."""
