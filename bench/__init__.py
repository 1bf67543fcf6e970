"""Measurements as ratios against a stated baseline in the same run."""
