"""Findings of series that were fitted and audited alone, told as one."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tslam.audit.gap import Attribution, Findings, LatentInfo, NotTested, Share

__all__ = ["merge_findings", "merge_latents"]

_PARTS = ("history", "actions", "exogenous", "latents")


def merge_findings(found: Mapping[str, Findings]) -> Findings:
    """One set of findings; every gap names its series, shares are averaged over the rows of all series.

    Latents of the same name are not the same thing in two series; of each name the surest is told.
    """
    gaps = [gap.model_copy(update={"series": (name,)}) for name, f in found.items() for gap in f.gaps]
    untested = [
        NotTested(question=n.question, subject=n.subject, reason=f"series {name}: {n.reason}")
        for name, f in found.items()
        for n in f.not_tested
    ]
    return Findings(
        gaps=tuple(sorted(gaps, key=lambda gap: (-gap.severity.rank, -gap.score))),
        attribution=_shares([row for f in found.values() for row in f.attribution if row.window is None]),
        latents=merge_latents(info for f in found.values() for info in f.latents),
        not_tested=tuple(untested),
        tested=sum(f.tested for f in found.values()),
        adequate=all(f.adequate for f in found.values()),
        notes=tuple(f"Series {name}: {note}" for name, f in found.items() for note in f.notes),
    )


def merge_latents(infos: Iterable[LatentInfo]) -> tuple[LatentInfo, ...]:
    """Of each name the surest, ``latent_0`` first."""
    best: dict[str, LatentInfo] = {}
    for info in infos:
        if info.name not in best or info.t_value > best[info.name].t_value:
            best[info.name] = info
    # latent_10 after latent_9
    return tuple(best[name] for name in sorted(best, key=lambda name: (len(name), name)))


def _shares(rows: Sequence[Attribution]) -> tuple[Attribution, ...]:
    """The mean of each channel's rows, weighted by how many transitions they speak for."""
    merged = []
    for channel in dict.fromkeys(row.channel for row in rows):
        own = [row for row in rows if row.channel == channel]
        weights = np.array([max(1, row.rows) for row in own], float)
        means = {part: _mean([getattr(row, part) for row in own], weights) for part in _PARTS}
        merged.append(Attribution(channel=channel, window=None, rows=sum(row.rows for row in own), **means))
    return tuple(merged)


def _mean(shares: Sequence[Share], weights: np.ndarray) -> Share:
    value, low, high = np.average([(s.value, s.low, s.high) for s in shares], axis=0, weights=weights)
    return Share(value=float(value), low=float(low), high=float(high))
