"""A plan as Asterisk configuration text. Pure: same plan, same bytes."""
