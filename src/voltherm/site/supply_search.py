"""Search for the warmest set point at which a margin that falls with it is not passed.

    set point_{k+1} = T_k - m(T_k) / s_k   between the ends known, else the middle between them

| symbol | meaning | unit |
| --- | --- | --- |
| T | supply reached at a set point: the set point itself, or where the supply floats | K |
| m | margin there, above zero where the set point serves | K |
| s_k | secant slope where it is plausible, else -1.05: a kelvin of supply and the leakage it adds | K/K |

A warmer set point never leaves more margin, so what serves lies below what does not. From the given set point the
search climbs by secants until one does not serve, and keeps the answer between both from there on: a trial that is too
warm, or that has no steady state, ends nothing. Where the given set point does not serve it descends; once a colder
set point brings no more margin, the plant is exhausted, and the lowest set point of all says whether any serves.

Secants within a bracket, halved where they do not shrink it: as T. J. Dekker (1969) and R. P. Brent (1973, chapter 4).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from voltherm.numerics import ResultCode, Solution, Status

LOWEST = 278.15
"""The coldest set point that is tried [K]: no plant of this kind supplies colder coolant."""
_USUAL_SLOPE = -1.05
_PLAUSIBLE_SLOPES = (-2.0, -0.7)
_TOLERANCE = 1e-6  # K
_WIDTH = 1e-3  # K between a set point that serves and one that does not, where the margin falls steeply between them
_LEAST_GAIN = 0.2  # K of margin for a kelvin of a colder set point: with less the plant is exhausted
_SECANTS = 6  # trials after which every second one halves what is left
_MAXIMUM_STEPS = 48


class _Trial(NamedTuple):
    """A set point that was solved [K], the supply it reached [K], the margin there [K], and the state."""

    set_point: Float[Array, ""]
    supply: Float[Array, ""]
    margin: Float[Array, ""]
    state: Any


class _Search(NamedTuple):
    """Where to solve next, and what is known.

    `last`: the last trial that has a steady state; `best`: the warmest that serves, where `serves`; `low`, `high`: ends
    of the set points still in question [K]; `failure`: result code of a trial without a steady state, if it is one of
    the ends; `result`: of the whole, once `finished`.
    """

    next_set_point: Float[Array, ""]
    last: _Trial
    best: _Trial
    serves: Bool[Array, ""]
    low: Float[Array, ""]
    high: Float[Array, ""]
    failure: Int[Array, ""]
    result: Int[Array, ""]
    finished: Bool[Array, ""]
    steps: Int[Array, ""]


class Tried(NamedTuple):
    """What a solve at a set point found: supply reached [K], margin there [K], state, result code."""

    supply: Float[Array, ""]
    margin: Float[Array, ""]
    state: Any
    result: Int[Array, ""]


def highest_set_point(
    start: Float[Array, ""],
    state: Any,
    solve: Callable[[Float[Array, ""], Any], Tried],
    *,
    search: bool | Bool[Array, ""] = True,
) -> tuple[Solution, Any]:
    """The highest set point with a margin of at least zero.

    **Arguments**

    - `start`: the set point that is tried first [K]
    - `state`: a solved state, arrays of any tree, from which the first solve starts; later ones start from the last
      that converged
    - `solve`: `solve(set point, state)`
    - `search`: False solves at `start` and returns that

    **Returns**: a `Solution` with the set point [K], `status.residual` the margin left there [K], and the solved
    state there. Where none serves the state is that of the coldest that was tried.

    **Result codes**: `CONVERGED`; `LIMIT` where no set point serves; `MAXIMUM_ITERATIONS` where the trials did not
    suffice; those of `solve` where it fails at `start`, or where the warmest that serves ends at set points at which it
    fails: the value is then the warmest that serves. It is NaN where none is known.
    """
    searching = jnp.asarray(search)

    def running(now: _Search) -> Bool[Array, ""]:
        return ~now.finished & (now.steps < _MAXIMUM_STEPS)

    def step(now: _Search) -> _Search:
        found = solve(now.next_set_point, now.last.state)
        trial = _Trial(now.next_set_point, found.supply, found.margin, found.state)
        return _advanced(now, trial, found.result, searching)

    last = jax.lax.while_loop(running, step, _begun(start, state))
    result = jnp.where(last.finished, last.result, ResultCode.MAXIMUM_ITERATIONS).astype(last.result.dtype)
    found = (result == ResultCode.CONVERGED) | (last.serves & searching)
    answer = _either(found & searching, last.best, last.last)
    value = jnp.where(found, answer.set_point, jnp.nan)
    known = found | (result == ResultCode.LIMIT)
    shown = jax.tree.map(lambda leaf: jnp.where(known, leaf, jnp.nan), answer.state)
    status = Status(result, jnp.abs(answer.margin), last.steps, jnp.zeros_like(last.steps))
    return Solution(value, status), shown


def _begun(start: Float[Array, ""], state: Any) -> _Search:
    nothing = jnp.zeros((), jnp.int32)
    # a margin that is not finite makes no plausible secant
    before = _Trial(start, start, jnp.full_like(start, jnp.inf), state)
    return _Search(
        next_set_point=start,
        last=before,
        best=before,
        serves=jnp.zeros((), bool),
        low=jnp.minimum(start, LOWEST),
        high=jnp.full_like(start, jnp.inf),
        failure=nothing,
        result=nothing,
        finished=jnp.zeros((), bool),
        steps=nothing,
    )


def _either(choice: Bool[Array, ""], first: _Trial, second: _Trial) -> _Trial:
    return jax.tree.map(lambda one, other: jnp.where(choice, one, other), first, second)


def _advanced(now: _Search, tried: _Trial, code: Int[Array, ""], searching: Bool[Array, ""]) -> _Search:
    """What is known after a trial, and the next one."""
    solved = code == ResultCode.CONVERGED
    served = solved & (tried.margin >= -_TOLERANCE)
    refused = solved & ~served
    serves = now.serves | served
    # a failure above what serves is an upper end; below what is refused, a lower one
    above = refused | (~solved & now.serves)
    below = served | (~solved & ~now.serves)
    low = jnp.where(below, tried.set_point, now.low)
    high = jnp.where(above, tried.set_point, now.high)
    # a failure counts while it is an end: a solved trial takes its place where it moves that end
    replaced = jnp.where(now.serves, refused, served)
    failure = jnp.where(solved, jnp.where(replaced, ResultCode.CONVERGED, now.failure), code).astype(code.dtype)
    last, best = _either(solved, tried, now.last), _either(served, tried, now.best)

    on_target = solved & (jnp.abs(tried.margin) <= _TOLERANCE)
    coldest = refused & (tried.set_point <= jnp.minimum(LOWEST, now.low) + _WIDTH)
    # between two ends that were tried
    closed = (high - low <= _WIDTH) & (serves | (failure != ResultCode.CONVERGED))
    lost = ~solved & (now.steps == 0)
    result = jnp.where(closed & ~on_target, failure, ResultCode.CONVERGED)
    result = jnp.where(coldest, ResultCode.LIMIT, jnp.where(lost | ~searching, code, result)).astype(code.dtype)
    return _Search(
        next_set_point=_next(now, tried, serves, low, high, solved),
        last=last,
        best=best,
        serves=serves,
        low=low,
        high=high,
        failure=failure,
        result=result,
        finished=~searching | on_target | coldest | closed | lost,
        steps=now.steps + 1,
    )


def _next(
    now: _Search,
    tried: _Trial,
    serves: Bool[Array, ""],
    low: Float[Array, ""],
    high: Float[Array, ""],
    solved: Bool[Array, ""],
) -> Float[Array, ""]:
    """The next set point: by the secant of the last two trials, the middle of what is in question, or the lowest."""
    distance = tried.supply - now.last.supply
    secant = (tried.margin - now.last.margin) / jnp.where(distance == 0.0, 1.0, distance)
    plausible = (secant > _PLAUSIBLE_SLOPES[0]) & (secant < _PLAUSIBLE_SLOPES[1])
    guess = tried.supply - tried.margin / jnp.where(plausible, secant, _USUAL_SLOPE)
    middle = 0.5 * (low + jnp.where(jnp.isfinite(high), high, low))
    inside = (guess > low) & (guess < high) & solved
    halved = (now.steps > _SECANTS) & (now.steps % 2 == 0)
    between = jnp.where(inside & ~halved, guess, middle)
    climbing = jnp.maximum(guess, low + _WIDTH)
    # a supply that floats falls with its set point where the CDU is at its end, and not where the plant is
    colder = now.last.set_point - tried.set_point
    exhausted = (colder > 0.0) & (tried.margin - now.last.margin < _LEAST_GAIN * colder)
    down = jnp.minimum(guess, tried.set_point - tried.margin / _USUAL_SLOPE)
    descending = jnp.where(exhausted, low, jnp.maximum(down, low))
    below = jnp.where(solved, descending, middle)
    chosen = jnp.where(serves, jnp.where(jnp.isfinite(high), between, climbing), below)
    return chosen.astype(tried.margin.dtype)
