"""Measurements of the hub: one command, figures with bars, nothing fails on a short one. See docs/benchmarks.md."""
