"""The guard: a latent is acted upon only through a certificate that holds here and now.

There is no default that passes. What an alignment's certificate lacks is named; the one way around what is
merely not shown is an override, with a person's name and reason, which is logged and stands on every row of
the result. A certificate that was changed, or belongs to another model, is not overridden by anyone.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import Field

from tslam.align.alignment import Alignment
from tslam.align.certificate import Certificate, Range
from tslam.align.storage import fingerprint
from tslam.contract.frozen import Frozen
from tslam.contract.latents import is_latent_name
from tslam.errors import UnvalidatedLatentError
from tslam.panel.panel import Panel

__all__ = ["Override", "cleared"]

_LOG = logging.getLogger("tslam.plan")
_MARGIN = 0.05
"""How far beyond the validated regime things may be, as a share of its width."""


class Override(Frozen):
    """A person acts on a latent that was not validated for it, and says why. Logged, and on every output."""

    by: str = Field(min_length=1, description="Who decides")
    reason: str = Field(min_length=10, description="Why it is right to act all the same")


def cleared(
    alignments: Sequence[Alignment],
    using: Sequence[str],
    *,
    model: str,
    panel: Panel,
    latents: Float[np.ndarray, "rows latent"],
    wanted: Mapping[str, Any],
    override: Override | None,
) -> tuple[Alignment, tuple[str, ...]]:
    """The alignment through which the latents asked for may be used, and what marks the result.

    Args:
        alignments: What the model knows.
        using: Names of latents, or of the action that they were aligned with.
        model: Fingerprint of the model.
        panel: The history that the plan starts from.
        latents: The model's smoothed latents on its rows.
        wanted: Values asked for, by channel.
        override: A person's decision.

    Raises:
        UnvalidatedLatentError: something is missing; the message names it.
    """
    found = _found(alignments, using)
    forged = _forged(found, model)
    if forged:
        raise _refusal(using, found, forged)
    lacking = (*found.certificate.missing(), *_not_covered(found, panel, latents, wanted))
    if not lacking:
        return found, (
            f"{found.action} through {', '.join(found.latents)}, certificate {found.certificate.level.value}",
        )
    if override is None:
        raise _refusal(using, found, lacking)
    if type(override) is not Override:
        raise _refusal(using, found, (f"an Override, not a {type(override).__name__}", *lacking))
    _LOG.warning(
        "%s overrides the guard on %s (action %r): %s. Not validated: %s",
        override.by, list(using), found.action, override.reason, "; ".join(lacking),
    )  # fmt: skip
    return found, (
        f"OVERRIDE by {override.by}: {override.reason}",
        f"NOT VALIDATED: {'; '.join(lacking)}",
    )


def _found(alignments: Sequence[Alignment], using: Sequence[str]) -> Alignment:
    """The one alignment that covers all names.

    Raises:
        UnvalidatedLatentError: none does.
    """
    names = list(dict.fromkeys(using))
    for alignment in alignments:
        own = {alignment.action, *alignment.certificate.latents}
        if set(names) <= own:
            return alignment
    have = {a.action: list(a.certificate.latents) for a in alignments}
    kind = "inferred latents" if any(is_latent_name(name) for name in names) else "no logged actions"
    raise UnvalidatedLatentError(
        f"{names} are {kind}, and no certificate covers them (alignments: {have or 'none'}). What is "
        "missing: an alignment with a typed action, from labels (model.align), put to the model "
        "(with_alignment), with a certificate of level interventional."
    )


def _forged(alignment: Alignment, model: str) -> tuple[str, ...]:
    own = alignment.certificate
    if type(alignment) is not Alignment or type(own) is not Certificate:
        return ("a certificate made by model.align; this one is of another class",)
    out = []
    if not own.intact:
        out.append("a certificate as model.align made it; this one was changed")
    if own.model != model:
        out.append("a certificate of this model; this one was made for another")
    if own.decoder != fingerprint(alignment):
        out.append("the alignment that was validated; its numbers are others now")
    return tuple(out)


def _not_covered(
    alignment: Alignment, panel: Panel, latents: Float[np.ndarray, "rows latent"], wanted: Mapping[str, Any]
) -> tuple[str, ...]:
    """Time, drift and regime: does the certificate hold here and now?"""
    own, out = alignment.certificate, []
    last: Any = panel.stamps(np.arange(panel.rows)).max()
    expires: Any = own.expires
    if last > expires:
        out.append(f"a certificate for this time; it expired at {expires} and the data end at {last}")
    if alignment.tied is None:
        out.append("a number that can be set: an action of levels or events has no controller")
    else:
        gone = alignment.contradicted(alignment.reading(panel, latents), panel)
        out += [f"an alignment that still holds: {said}" for said in gone[:3]]
    return (*out, *_outside(own, panel, wanted))


def _outside(own: Certificate, panel: Panel, wanted: Mapping[str, Any]) -> list[str]:
    """What lies outside the regime: where the plant is, and where it shall go."""
    regime, s, out = {r.name: r for r in own.regime}, panel.scaling, []
    last = np.array([np.flatnonzero(panel.series_of == code)[-1] for code in range(len(panel.series_names))])
    now = {
        name: panel.obs[last, i] * s.obs_sd[:, i] + s.obs_mean[:, i] for i, name in enumerate(panel.channels)
    }
    for features, values, mean, sd in (
        (panel.action_features, panel.actions, s.act_mean, s.act_sd),
        (panel.exog_features, panel.exog, s.exog_mean, s.exog_sd),
    ):
        now |= {f.name: values[last, i] * sd[i] + mean[i] for i, f in enumerate(features)}
    for name, values in now.items():
        if name in regime and _beyond(regime[name], values):
            out.append(f"validation where {name!r} is {_list(values)} (reached: {_words(regime[name])})")
    for name, value in wanted.items():
        if name in regime and _beyond(regime[name], np.array([value], float)):
            out.append(f"validation for {name!r} at {value}; it reached {_words(regime[name])}")
    return out


def _beyond(span: Range, values: np.ndarray) -> bool:
    room = _MARGIN * (span.high - span.low)
    known = values[np.isfinite(values)]
    return bool(((known < span.low - room) | (known > span.high + room)).any())


def _list(values: np.ndarray) -> str:
    return ", ".join(f"{v:.4g}" for v in values)


def _words(span: Range) -> str:
    return f"{span.low:.4g} to {span.high:.4g}"


def _refusal(using: Sequence[str], found: Alignment, lacking: Sequence[str]) -> UnvalidatedLatentError:
    return UnvalidatedLatentError(
        f"{list(using)} cannot be acted upon as {found.action!r}: the certificate (level "
        f"{found.certificate.level.value}) does not cover it. What is missing: {'; '.join(lacking)}."
    )
