"""Measurements. The figures go to docs/measurements.md."""
