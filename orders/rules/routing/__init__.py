"""Who fulfils: what routing knows (facts), what it weighs (policy), how it chooses (planner, optimiser), and why."""
