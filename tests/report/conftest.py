"""One fabricated answer for all tests of the report."""

import pytest

from tests.report.fabricated import fabricated_answer, small_site
from voltherm.study.answer import Answer

pytest.importorskip("matplotlib", reason="the report extra is not installed")
pytest.importorskip("jinja2", reason="the report extra is not installed")


@pytest.fixture(scope="session")
def answer(project_root) -> Answer:
    """A small building on a day on which a highest supply exists."""
    return fabricated_answer(small_site(project_root))


@pytest.fixture(scope="session")
def unanswered(project_root) -> Answer:
    """Two buildings on a day on which no set point serves and no limit is reached in time."""
    return fabricated_answer(small_site(project_root, "building.count=2"), allowed=False)
