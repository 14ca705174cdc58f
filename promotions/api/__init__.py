"""The REST door to promotions: what is live, and what a basket would cost."""
