"""Seats and the visits of callers to queues."""
