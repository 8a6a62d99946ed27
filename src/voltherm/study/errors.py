"""What can stop a study before it begins; the message is for the user."""


class UnsolvedStartError(ValueError):
    """The design that a study starts from has no solution."""


class ForeignCheckpointError(ValueError):
    """A file that is no checkpoint, or one of another study; the message begins with its name."""
