"""What is recorded, under which name, and whether it is really there."""
