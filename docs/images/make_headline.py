"""Writes headline.svg, the first figure of a report, from the results of a run, which need not be run again for it.

python docs/images/make_headline.py out/demo/results.h5
"""

import sys
from pathlib import Path

import jax

from voltherm.formats.answer_file import decode
from voltherm.formats.results import read_results
from voltherm.report.figures_response import response_figure

results = Path(sys.argv[1])
jax.config.update("jax_enable_x64", True)
text = response_figure(decode(results, read_results(results)))
# a figure of the page is transparent: alone it needs paper, or dark pages swallow its lines
opening, rest = text.split(">", 1)
picture = f'{opening}><rect width="100%" height="100%" fill="#ffffff"/>{rest}'
(Path(__file__).parent / "headline.svg").write_text(f"{picture.rstrip()}\n", encoding="utf-8")
