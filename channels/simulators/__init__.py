"""Outside systems played on loopback, one module per contract; tests, demo and benchmarks share them."""
