"""How every figure of a report looks, and how it becomes text that stands inside a page.

Figures are drawn with matplotlib's SVG canvas, without a display and without touching the caller's settings. Text stays
text: it can be searched and copied, and takes the page's typeface.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1c2733"
MUTED = "#66727f"
FAINT = "#d9dfe5"
PAPER = "#ffffff"
BLUE = "#1f5f99"
LIGHT_BLUE = "#8fbbe0"
ORANGE = "#d9822b"
RED = "#b3261e"
GREEN = "#3a8f6b"
VIOLET = "#7a5ea8"
SAND = "#d8c48a"

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
}
_TYPEFACE = "'Inter', 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


@contextmanager
def style(name: str) -> Iterator[None]:
    """The settings of matplotlib for one figure; `name` makes its identifiers its own and repeatable."""
    import matplotlib

    settings: Any = {**_STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        yield


def new(width: float, height: float) -> "Figure":
    """An empty figure [in]."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def blank(axes: "Axes", width: float, height: float) -> None:
    """Axes as a sheet of paper with its origin at the lower left."""
    axes.set_axis_off()
    axes.set_xlim(0.0, width)
    axes.set_ylim(0.0, height)
    axes.set_aspect("equal")


def svg(figure: "Figure", name: str, description: str) -> str:
    """The figure as an `svg` element: no declaration, no metadata, identifiers that begin with `name`."""
    from xml.sax.saxutils import escape

    # what is written inside a plot takes no room from it: a long text would leave the axes none at all
    for axes in figure.axes:
        for text in axes.texts:
            text.set_in_layout(not axes.axison)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    # several figures share one page, so what one refers to must not exist in another
    drawn = re.sub(r'\bid="', f'id="{name}-', drawn)
    drawn = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", drawn)
    drawn = drawn.replace("'DejaVu Sans'", _TYPEFACE)
    opening = f'<svg role="img" aria-label="{escape(description, {chr(34): "&quot;"})}" '
    return drawn.replace("<svg ", opening, 1)
