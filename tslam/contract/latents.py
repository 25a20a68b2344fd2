"""The names of inferred latents: reserved, so that nothing logged can be taken for one."""

import re

from tslam.contract.roles import InferredLatent

__all__ = ["is_latent_name", "is_read_name", "latent_names", "read_name"]

_READ = "_inferred"
_RESERVED = re.compile(r"latent_(0|[1-9][0-9]*)", re.ASCII)


def latent_names(count: int) -> tuple[InferredLatent, ...]:
    """Names of ``count`` latents, strongest first: ``latent_0``, ``latent_1``, ..."""
    return tuple(InferredLatent(f"latent_{position}") for position in range(count))


def is_latent_name(name: str) -> bool:
    """Is the name one that an inferred latent carries?"""
    return _RESERVED.fullmatch(name) is not None


def read_name(action: str) -> str:
    """Name of what an alignment reads an action to have been: ``valve_inferred``."""
    return f"{action}{_READ}"


def is_read_name(name: str) -> bool:
    """Is the name one that an action carries which was read, not logged?"""
    return name.endswith(_READ)
