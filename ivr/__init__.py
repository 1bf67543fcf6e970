"""What a caller hears and keys: the advice, menus."""
