"""GMRES with the matrix applied in one place, so that what stands behind it is compiled once.

    minimise |b - A x| over x in span(b, A b, A² b, ...),   A = 1 - N

by Arnoldi's process with Gram-Schmidt twice; the small least-squares problem is solved by QR in every step (Saad and
Schultz 1986, SIAM J. Sci. Stat. Comput. 7, 856-869). No restarts: the derivatives of contracting fixed points need a
dozen directions.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.linalg import solve_triangular
from jaxtyping import Bool, Float, Int, PyTree


class Arnoldi(eqx.Module):
    """Process for one right-hand side: orthonormal `basis`, Hessenberg matrix, weights of the basis in the solution,
    |b|, |b - A x|, steps done.
    """

    basis: Float[Array, "direction unknown"]
    hessenberg: Float[Array, "direction step"]
    weights: Float[Array, " step"]
    length: Float[Array, ""]
    residual: Float[Array, ""]
    steps: Int[Array, ""]

    @classmethod
    def start(cls, right_hand_side: Float[Array, " unknown"], maximum_steps: int) -> "Arnoldi":
        """Before the first product with the matrix."""
        size, dtype = right_hand_side.size, right_hand_side.dtype
        steps = max(1, min(size, maximum_steps))
        length = jnp.sqrt(jnp.sum(right_hand_side**2))
        first = right_hand_side / jnp.where(length > 0.0, length, 1.0)
        return cls(
            basis=jnp.zeros((steps + 1, size), dtype).at[0].set(first),
            # a column that is not filled yet must not take part: its one entry stands where the filled ones have none
            hessenberg=jnp.eye(steps + 1, steps, -1, dtype=dtype),
            weights=jnp.zeros(steps, dtype),
            length=length,
            residual=length,
            steps=jnp.zeros((), jnp.int32),
        )

    def direction(self) -> Float[Array, " unknown"]:
        """What the matrix is to be applied to next."""
        return self.basis[self.steps]

    def extended(self, vector: Float[Array, " unknown"]) -> "Arnoldi":
        """After one more product: `vector` is the matrix times `direction()`."""
        steps = self.weights.size
        first = self.basis @ vector
        vector = vector - first @ self.basis
        second = self.basis @ vector
        vector = vector - second @ self.basis
        left = jnp.sqrt(jnp.sum(vector**2))
        column = (first + second).at[self.steps + 1].set(left)
        hessenberg = self.hessenberg.at[:, self.steps].set(column)
        basis = self.basis.at[self.steps + 1].set(vector / jnp.where(left > 0.0, left, 1.0))
        unitary, triangle = jnp.linalg.qr(hessenberg)
        target = jnp.zeros(steps + 1, self.length.dtype).at[0].set(self.length)
        weights = solve_triangular(triangle, unitary.T @ target)
        missing = jnp.sqrt(jnp.sum((target - hessenberg @ weights) ** 2))
        return Arnoldi(basis, hessenberg, weights, self.length, missing, self.steps + 1)

    def running(self, tolerance: float) -> Bool[Array, ""]:
        """Whether another step is due: `tolerance` is relative to the right-hand side."""
        return (self.residual > tolerance * self.length) & (self.steps < self.weights.size)

    def solution(self) -> Float[Array, " unknown"]:
        """The x found so far."""
        return self.weights @ self.basis[:-1]


class _Chain(eqx.Module):
    """Carry of `gmres`: the process, whether it has begun and whether all is done, and both ends of the chain."""

    process: Arnoldi
    begun: Bool[Array, ""]
    done: Bool[Array, ""]
    before: PyTree
    after: PyTree


def gmres(
    product: Callable[[PyTree, Float[Array, " unknown"], PyTree], tuple[PyTree, Float[Array, " unknown"], PyTree]],
    right_hand_side: tuple[PyTree, Float[Array, " unknown"], PyTree],
    *,
    tolerance: float,
    maximum_steps: int,
) -> tuple[PyTree, Float[Array, " unknown"], PyTree]:
    """Solve (1 - N) (p, y, a) = right-hand side, where y needs GMRES and the two ends of the chain do not.

    **Arguments**

    - `product(p, y, a)`: N times (p, y, a), of the same structure. It moves along p -> y -> y -> a only, or, like its
      transpose, along a -> y -> y -> p only: what enters with p leaves with y or a, and nothing leaves with p.
    - `right_hand_side`: p and a are any pytrees, empty ones included.
    - `tolerance`: on y, relative to its right-hand side; `maximum_steps`: most products for y.

    N is applied in one place: once for what the head of the chain adds to the right-hand side of y, then for the
    directions of y, and once for what y adds to the tail.
    """
    before, right, after = right_hand_side
    nothing = jnp.zeros_like(right)

    def step(state: _Chain) -> _Chain:
        process = state.process
        last = state.begun & ~process.running(tolerance)
        inner = state.begun & ~last
        y = jnp.where(last, process.solution(), jnp.where(inner, process.direction(), nothing))

        def at_ends(leaf: Array) -> Array:
            return jnp.where(inner, jnp.zeros_like(leaf), leaf)

        to_before, image, to_after = product(jax.tree.map(at_ends, before), y, jax.tree.map(at_ends, after))
        first = Arnoldi.start(right + image, maximum_steps)
        extended = process.extended(y - image)
        process = jax.tree.map(
            lambda old, new, begin: jnp.where(state.begun, jnp.where(last, old, new), begin), process, extended, first
        )

        def kept(old: Array, added: Array) -> Array:
            return jnp.where(last, old + added, old)

        return _Chain(
            process,
            jnp.ones((), bool),
            last,
            jax.tree.map(kept, before, to_before),
            jax.tree.map(kept, after, to_after),
        )

    state = lax.while_loop(
        lambda state: ~state.done,
        step,
        _Chain(Arnoldi.start(nothing, maximum_steps), jnp.zeros((), bool), jnp.zeros((), bool), before, after),
    )
    return state.before, state.process.solution(), state.after
