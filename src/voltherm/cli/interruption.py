"""Ctrl-C at any moment: one sentence, exit code 130.

Python raises `KeyboardInterrupt` between two of its own instructions: not while XLA compiles, which takes many seconds,
and in the middle of whatever callback or destructor comes next, where it is printed and ignored. An interpreter that
shuts down under a compiler's threads ends in a segmentation fault. So a thread waits for the signal and ends the
process itself. Nothing is lost by that: every file is written beside its name and renamed when it is whole, so that
an interruption leaves what a kill leaves.
"""

import contextlib
import os
import signal
import socket
import sys
import threading

SENTENCE = "interrupted; what was written whole is kept"
EXIT_CODE = 130
_FLUSH_SECONDS = 1.0  # a reader that takes nothing more must not keep the process
_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


def end_on_interrupt() -> None:
    """From now on Ctrl-C ends this process at once. To be called in the main thread, before anything else runs."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # whoever started the process in the background wants it to go on
        return
    heard, told = socket.socketpair()
    told.setblocking(False)
    # the C part of Python's handler writes the signal's number there, whatever the main thread does at that moment
    signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=_wait, args=(heard, told), name="interruption", daemon=True).start()


def _wait(heard: socket.socket, told: socket.socket) -> None:
    with heard, told:
        while signal.SIGINT not in heard.recv(64):
            pass
    # what was printed before is handed on, unless nobody reads it
    flush = threading.Thread(target=_flush, daemon=True)
    flush.start()
    flush.join(_FLUSH_SECONDS)
    prefix = f"\r{_SHOW_CURSOR}\n" if os.isatty(2) else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{prefix}{SENTENCE}\n".encode())
    os._exit(EXIT_CODE)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
