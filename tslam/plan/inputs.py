"""What the inputs are over a horizon: as given, or held as they were last logged; in scaled units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor

from tslam.contract.latents import is_latent_name
from tslam.contract.roles import Kind, Role
from tslam.errors import FrameError, RoleError, UnvalidatedLatentError
from tslam.panel.chain import Structure
from tslam.panel.encode import encode
from tslam.panel.ingest import columns, read
from tslam.panel.panel import Panel
from tslam.plan.clock import stamps_after
from tslam.plan.simulate import Inputs, before

__all__ = ["Planned", "overlay", "refuse_latents"]

_WORDS = {Role.ACTION: "actions", Role.EXOGENOUS: "exogenous variables"}


@dataclass(frozen=True, eq=False)
class Planned:
    """Inputs over the horizon, and in words what was assumed of them."""

    inputs: Inputs
    assumed: tuple[str, ...]


def overlay(
    panel: Panel,
    structure: Structure,
    logged: Inputs,
    rows: Int[np.ndarray, " series"],
    given: Mapping[Role, Any],
    *,
    ahead: bool,
) -> Planned:
    """Put what the caller gives over what was logged.

    Args:
        panel: The history.
        structure: Lags and timing.
        logged: Inputs around the origins, held where the log ends.
        rows: The origins, one per series.
        given: By role a mapping from columns to a value or to one value per step, a frame with the time
            stamps of the horizon, or None: as in ``logged``.
        ahead: Are the steps still to come, so that there are no events but given ones?

    Raises:
        RoleError: a name is no input of that role.
        FrameError: the values do not cover the horizon.
        UnvalidatedLatentError: a latent stands among them.
    """
    parts, said = [], []
    for role, values in ((Role.ACTION, logged.actions), (Role.EXOGENOUS, logged.exog)):
        known = [code.column for code in panel.encoding.of(role)]
        tables = _tables(panel, structure, role, given.get(role), rows, values.shape[1])
        named = tables[0].columns if tables else []
        start = values.clone()
        if ahead:
            _silence(panel, role, start[:, before(structure) + 1 :])
        parts.append(_laid(panel, structure, role, start, tables))
        held = [name for name in known if name not in named]
        said += [f"{_WORDS[role]} given: {', '.join(named)}"] if named else []
        said += [f"{_WORDS[role]} held as last logged: {', '.join(held)}"] if held else []
    return Planned(Inputs(*parts), tuple(said))


def refuse_latents(names: Iterable[object]) -> None:
    """Inferred latents are nobody's to set.

    Raises:
        UnvalidatedLatentError: one of the names is a latent's.
    """
    found = [str(name) for name in names if is_latent_name(str(name))]
    if found:
        raise UnvalidatedLatentError(
            f"{found} are inferred latents, not logged actions: nobody can set them. Give logged actions, or "
            "align the latent with a typed action (model.align) and plan with that."
        )


def _laid(
    panel: Panel,
    structure: Structure,
    role: Role,
    values: Float[Tensor, "n rows feat"],
    tables: list[pl.DataFrame],
) -> Float[Tensor, "n rows feat"]:
    """Scaled values with what the tables hold in its place, from the origin on."""
    now, (mean, sd) = before(structure), _moments(panel, role)
    for i, table in enumerate(tables):
        numbers = torch.from_numpy((encode(table, panel.encoding, role)[0] - mean) / sd)
        at = 0
        for code in panel.encoding.of(role):
            width = len(code.features())
            if code.column in table.columns:
                told = torch.from_numpy(table[code.column].is_not_null().to_numpy().copy())
                window = values[i, now:, at : at + width]
                window[told] = numbers[told, at : at + width]
            at += width
    return values


def _silence(panel: Panel, role: Role, ahead: Float[Tensor, "n steps feat"]) -> None:
    """Events are not held: after the origin there are none but those that are given."""
    mean, sd = _moments(panel, role)
    none, at = torch.from_numpy(-mean / sd), 0
    for code in panel.encoding.of(role):
        width = len(code.features())
        if code.kind is Kind.EVENT:
            ahead[:, :, at : at + width] = none[at : at + width]
        at += width


def _moments(panel: Panel, role: Role) -> tuple[Float[np.ndarray, " feat"], Float[np.ndarray, " feat"]]:
    s = panel.scaling
    return (s.act_mean, s.act_sd) if role is Role.ACTION else (s.exog_mean, s.exog_sd)


def _tables(
    panel: Panel,
    structure: Structure,
    role: Role,
    given: Any,
    rows: Int[np.ndarray, " series"],
    span: int,
) -> list[pl.DataFrame]:
    """What is given, of rows T .. T + steps of each series; null where nothing is."""
    if given is None:
        return []
    known = [code.column for code in panel.encoding.of(role)]
    steps = span - 1 - before(structure)
    if not isinstance(given, Mapping):
        return _by_stamp(panel, structure, role, rows, given, steps)
    refuse_latents(given)
    for name in given:
        if name not in known:
            raise RoleError.unknown_column(str(name), role.value, known)
    table = {}
    for name, value in given.items():
        own = _spread(name, value, steps)
        table[name] = [None, *own] if name in structure.within else [*own, own[-1]]
    return [pl.DataFrame(table, strict=False)] * rows.size


def _by_stamp(
    panel: Panel, structure: Structure, role: Role, rows: Int[np.ndarray, " series"], given: Any, steps: int
) -> list[pl.DataFrame]:
    """Rows of a frame by their stamps, as in any frame of the contract."""
    contract = panel.contract
    refuse_latents(columns(given))
    loose = contract.with_columns(c.model_copy(update={"required": False}) for c in contract.columns)
    frame = read(given, loose)[0]
    known = [c.name for c in contract.columns if c.role is role and c.name in frame.columns]
    if not known:
        raise FrameError(
            f"The frame of {_WORDS[role]} has none of {[c.column for c in panel.encoding.of(role)]}. Give at "
            "least one, or leave it out: they are then held as last logged."
        )
    tables = []
    for row in rows:
        series = panel.series_names[int(panel.series_of[row])]
        own = frame
        if contract.series is not None:
            own = frame.filter(pl.col(contract.series).cast(pl.String) == series)
        wanted = (
            stamps_after(panel, int(row), np.arange(steps + 1)).cast(own.schema[contract.time]).to_frame()
        )
        found = wanted.join(own.select(contract.time, *known), on=contract.time, how="left")
        for name in known:
            needed = found[name][1:] if name in structure.within else found[name][1:-1]
            if needed.null_count():
                raise FrameError(
                    f"{name!r} has no value in {needed.null_count()} of the steps stamped "
                    f"{wanted[contract.time][1]} to {wanted[contract.time][-1]}"
                    f"{f' of series {series!r}' if contract.series else ''}. Give all of them."
                )
        tables.append(found.select(known))
    return tables


def _spread(name: str, value: Any, steps: int) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray | pl.Series):
        return [value] * steps
    if len(value) != steps:
        raise FrameError(
            f"{name!r} has {len(value)} values and the horizon {steps} steps. Give one value, or one "
            "per step."
        )
    return list(value)
