"""Reports: the summary of an answer as plain data, on the terminal, as figures and as one self-contained HTML file.

    report.write(answer, "outputs/abilene")       # report.html
    report.print_summary(answer, console)         # rich
    report.summary(answer)                        # sections of rows, user units
    report.tables(answer)                         # one row a rack row, substation, feeder: user units
    report.variables(answer)                      # SI arrays with dimensions and units, for a file

Host code: NumPy throughout; matplotlib and jinja2 (the `report` extra) are imported when a figure or a page is made.
"""

from voltherm.report.html import MissingExtra as MissingExtra
from voltherm.report.html import write as write
from voltherm.report.summary import Section as Section
from voltherm.report.summary import summary as summary
from voltherm.report.tables import tables as tables
from voltherm.report.terminal import print_summary as print_summary
from voltherm.report.variables import Values as Values
from voltherm.report.variables import variables as variables
