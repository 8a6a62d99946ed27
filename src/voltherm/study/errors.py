"""What can stop a study before it begins; the message is for the user."""


class NoSteadyStateError(ValueError):
    """What a study starts from has no steady state: the message names the part that fails and what to try."""


class ForeignCheckpointError(ValueError):
    """A file that is no checkpoint, or one of another study; the message begins with its name."""
