"""Logistic regression, fitted by Newton's method: small, exact, the same every time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEPS: Final = 30
_ENOUGH: Final = 1e-7


def sigmoid(values: Array) -> Array:
    """Give probabilities for log odds."""
    probabilities: Array = 1.0 / (1.0 + np.exp(-np.clip(values, -30, 30)))
    return probabilities


def fit_logistic(inputs: Array, targets: Array, weights: Array, *, toward: Array, strength: float) -> Array:
    """Fit P(target) = sigmoid(inputs @ w), w being drawn toward `toward`; gives w.

    `targets` are 0 or 1, `weights` say how much each row counts. The drawing makes every fit well-defined,
    however few or separable the rows are.
    """
    found = toward.astype(np.float64).copy()
    for _ in range(_STEPS):
        probabilities = sigmoid(inputs @ found)
        gradient = inputs.T @ (weights * (probabilities - targets)) + strength * (found - toward)
        spread = weights * probabilities * (1 - probabilities)
        hessian = (inputs * spread[:, None]).T @ inputs + strength * np.eye(len(found))
        step = np.linalg.solve(hessian, gradient)
        found -= step
        if np.abs(step).max() < _ENOUGH:
            break
    return found
