"""The switch room: the only place that touches network, clock and disk."""
