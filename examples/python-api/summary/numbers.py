"""What can be said about a list of numbers; knows nothing of HTTP."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 100_000


class NotNumbers(ValueError):
    """The values cannot be described; the text says why."""


@dataclass(frozen=True)
class Summary:
    count: int
    minimum: float
    maximum: float
    mean: float
    median: float
    # A single value does not deviate from anything.
    deviation: float | None


def summarize(values: object) -> Summary:
    """Describes `values`; raises `NotNumbers` unless they are a list of finite numbers with at least one of them."""
    numbers = _finite_numbers(values)
    return Summary(
        count=len(numbers),
        minimum=min(numbers),
        maximum=max(numbers),
        mean=statistics.fmean(numbers),
        median=statistics.median(numbers),
        deviation=statistics.stdev(numbers) if len(numbers) > 1 else None,
    )


def _finite_numbers(values: object) -> Sequence[float]:
    if not isinstance(values, list) or not values:
        raise NotNumbers("expected a list with at least one number")
    if len(values) > LONGEST:
        raise NotNumbers(f"more than {LONGEST} values")
    for index, value in enumerate(values):
        # A bool is an int to Python, and 10**400 is one that no float holds.
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise NotNumbers(f"value {index} is not a finite number")
    return values


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
