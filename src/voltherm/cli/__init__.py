"""The command line: ``voltherm init | check | describe | run | simulate | sweep | tune | validate | report | schema |
doctor``. One file per command; what a command needs is imported when it runs."""

import sys

from voltherm.cli.interruption import end_on_interrupt


def main() -> None:
    """Entry point of the program ``voltherm``."""
    end_on_interrupt()
    # a name on a terminal that cannot show it is no reason to fail
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    from voltherm.cli.application import application

    application()
