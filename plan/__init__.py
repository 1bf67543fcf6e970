"""The operator's hotline plan as types and checks."""
