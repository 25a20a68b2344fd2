"""What a recheck could have told: a certificate that stands says little where nothing could bring it down.

That an aligned action does more than it did, or less, shows without labels only in how its levels are spread,
and that takes holds. A recheck of four of them that finds nothing is no evidence that nothing has changed.
"""

from pydantic import Field

from tslam.contract.frozen import Frozen

__all__ = ["Detectable"]


class Detectable(Frozen):
    """Which changes of what an aligned action does would have withdrawn its certificate, without a label."""

    action: str
    holds: int = Field(ge=0, description="Holds of the action in the data")
    less: float | None = Field(
        description="It would be told from this many times the effect downwards; None: not down to half"
    )
    more: float | None = Field(description="And from this many times upwards; None: not up to twice")
    reading: str = Field(description="The same in words, and what would tell")


def detectable(action: str, holds: int, gains: tuple[float, float]) -> Detectable:
    """What so many holds could tell.

    Args:
        action: The aligned action.
        holds: Holds in the data.
        gains: Below and above 1, from which on a gain would be told; 0 and infinity: none.
    """
    less, more = gains[0] or None, gains[1] if gains[1] < float("inf") else None
    told = [f"{g:.2g} times {word}" for g, word in ((less, "or less"), (more, "or more")) if g is not None]
    if told:
        said = (
            f"In {holds} holds it shows without labels where {action} does {' or '.join(told)} of what it did"
        )
    else:
        said = f"In {holds} holds nothing would tell that {action} does half or twice what it did"
    advice = (
        "" if less and more else ". Label four long holds and recheck with them, or recheck more rows at once"
    )
    return Detectable(action=action, holds=holds, less=less, more=more, reading=f"{said}{advice}.")
