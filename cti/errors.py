"""The three words in which adapters tell a failure of the outside world."""


class NotNow(Exception):
    """The other side is absent, slow or busy: the same thing may work later."""


class Refused(Exception):
    """The other side said no; the text tells a person why."""


class Broken(Exception):
    """A bug, ours or theirs: log it, fail the part, restart it with back-off."""
