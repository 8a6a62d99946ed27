"""Root finding with implicit derivatives, result codes and smooth functions. No physics."""

from voltherm.numerics.bracketed_root import bracketed_root as bracketed_root
from voltherm.numerics.fixed_point import fixed_point as fixed_point
from voltherm.numerics.fixed_point import known_fixed_point as known_fixed_point
from voltherm.numerics.implicit import implicit_root as implicit_root
from voltherm.numerics.lanes import over_lanes as over_lanes
from voltherm.numerics.nested_fixed_point import NestedMap as NestedMap
from voltherm.numerics.nested_fixed_point import nested_fixed_point as nested_fixed_point
from voltherm.numerics.newton import newton as newton
from voltherm.numerics.precision import require_double as require_double
from voltherm.numerics.results import ResultCode as ResultCode
from voltherm.numerics.results import Solution as Solution
from voltherm.numerics.results import Status as Status
from voltherm.numerics.results import sentence as sentence
from voltherm.numerics.smooth import signed_power as signed_power
from voltherm.numerics.smooth import smooth_absolute as smooth_absolute
from voltherm.numerics.smooth import smooth_clip as smooth_clip
from voltherm.numerics.smooth import smooth_maximum as smooth_maximum
from voltherm.numerics.smooth import smooth_minimum as smooth_minimum
from voltherm.numerics.smooth import smooth_step as smooth_step
