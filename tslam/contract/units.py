"""Ranges that a unit rules out: nothing is colder than absolute zero, and 1% is not the whole."""

__all__ = ["contradiction"]

_ABSOLUTE_ZERO = {
    "k": 0.0, "kelvin": 0.0,
    "degc": -273.15, "°c": -273.15, "cel": -273.15, "celsius": -273.15,
    "degf": -459.67, "°f": -459.67, "fahrenheit": -459.67,
}  # fmt: skip
"""Lowest temperature, by what the unit is called (BIPM, "The International System of Units", 9th edition,
section 2.3.1)."""
_PERCENT = {"%", "percent"}


def contradiction(unit: str | None, minimum: float | None, maximum: float | None) -> str | None:
    """What is wrong with a range in a unit, in words; None where nothing is known to be.

    Args:
        unit: As written in a contract.
        minimum: Smallest value that is said to be possible.
        maximum: Largest.
    """
    called = (unit or "").strip().lower()
    zero = _ABSOLUTE_ZERO.get(called)
    if zero is not None:
        for name, bound in (("minimum", minimum), ("maximum", maximum)):
            if bound is not None and bound < zero:
                return f"its {name} {bound:g} {unit} is below absolute zero ({zero:g} {unit})"
    if called in _PERCENT and maximum is not None and 0 < maximum <= 1 and (minimum or 0.0) >= 0:
        return f"its maximum {maximum:g} is that of a share, and its unit says percent"
    return None
