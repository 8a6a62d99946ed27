import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# a suite that runs in the background hands on that interruptions are ignored
_HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
_LISTEN = "import pathlib; from voltherm.cli.interruption import end_on_interrupt; end_on_interrupt()\n"
_START = _HEARD + _LISTEN
_BEGUN = "pathlib.Path('begun').touch()\n"
MOMENTS = {
    "jax is imported": f"{_BEGUN}import jax\n",
    # seconds in XLA, without an instruction of Python
    "a program is compiled": f"""import jax, jax.numpy as jnp
def function(x):
    for _ in range(1000):
        x = jnp.sin(x @ x) / jnp.sort(x)
    return x
lowered = jax.jit(function).lower(jnp.ones((3, 3)))
{_BEGUN}lowered.compile()
""",
    "a file is written": f"{_BEGUN}while True: pathlib.Path('part').write_text('x' * 1_000_000)\n",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interruption_at_any_moment_is_one_sentence(moment: str, tmp_path: Path):
    script = f"{_START}{MOMENTS[moment]}print('finished')\n"
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    while not (tmp_path / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate()
    assert (process.returncode, printed, said) == (130, b"", b"interrupted; what was written whole is kept\n")


def test_the_program_itself_listens(tmp_path: Path):
    script = f"{_HEARD}import sys, voltherm.cli as cli; sys.argv = ['voltherm', '--version']; cli.main()"
    shown = "import signal; signal.raise_signal(signal.SIGINT); import time; time.sleep(60)"
    (tmp_path / "typer.py").write_text(shown, encoding="utf-8")  # stands in for what is imported next
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted; what was written whole is kept\n")


def test_what_was_printed_before_an_interruption_is_kept():
    script = f"{_START}import signal, time; print('first line'); signal.raise_signal(signal.SIGINT); time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "first line\n")


def test_a_process_told_to_ignore_interruptions_goes_on():
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    script = f"{ignoring}{_LISTEN}signal.raise_signal(signal.SIGINT); print('went on')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n")
