"""Do 90% rollout intervals hold 90% of what comes, on time that nothing was fitted on?

Each record is fitted on its first half. Along the second half, past forecasts set the first widths, and the
rest of it is forecast from row after row with the widths that were known by then. Told is the share of
values inside, by horizon, over all channels and series.

Takes names of plants and recorded sets as arguments; by default all plants, and the recorded sets of the
folder that TSLAM_RECORDED names, four series of each at most. With ``fresh`` among them the plants are those
of a seed that no setting was chosen on, and the series the four after those.
"""

import os
import sys
from pathlib import Path
from typing import Any

import polars as pl

import tslam

ROWS, HORIZONS, MOST_SERIES = 8000, (1, 5, 12, 24), 4
SEED, FRESH = 0, 21
SETS = (
    "daisy_cstr",
    "citylearn_homes",
    "tep",
    "skab_water_loop",
    "wind_turbine_scada",
    "petshop_microservices",
    "genai_serving_pods",
)


def recorded(name: str, folder: Path, *, fresh: bool) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A recorded set and its roles."""
    from ruamel.yaml import YAML

    roles = YAML(typ="safe").load((folder / f"{name}.yaml").read_text(encoding="utf-8"))["roles"]
    own = {k: [e["name"] if isinstance(e, dict) else e for e in v or []] for k, v in roles.items()}
    frame = pl.read_parquet(folder / f"{name}.parquet")
    series = "series_id" if "series_id" in frame.columns else None
    if series is not None:
        every = frame[series].unique(maintain_order=True)
        first = every[MOST_SERIES : 2 * MOST_SERIES] if fresh else every[:MOST_SERIES]
        frame = frame.filter(pl.col(series).is_in(first.to_list()))
    return frame, {
        "observations": own["observations"], "actions": own["actions"], "exog": own.get("exogenous", []),
        "time": "timestamp", "series": series,
    }  # fmt: skip


def line(name: str, folder: Path, *, fresh: bool) -> str:
    """One record."""
    if name in tslam.plants.PLANTS:
        record = tslam.plants.simulate(name, rows=ROWS, seed=FRESH if fresh else SEED)
        frame, roles = record.frame, dict(record.roles())
        config = None
    else:
        frame, roles = recorded(name, folder, fresh=fresh)
        if frame.is_empty():
            return f"{name:<24}has no further series"
        config = "linear"
    place = pl.int_range(pl.len()), pl.len()
    if roles.get("series"):
        place = tuple(p.over(roles["series"]) for p in place)
    early = place[0] < place[1] // 2
    model = tslam.fit(frame.filter(early), **roles, config=config, progress=False)
    out = model.rollout(frame.filter(~early), max(HORIZONS))
    held = dict(zip(out["step"].to_list(), out["held"].to_list(), strict=False))
    shares = [held[h] for h in HORIZONS]
    inside = all(s is not None and 0.87 <= s <= 0.93 for s in shares)
    told = "".join(f"{'-' if s is None else format(s, '.3f'):>8}" for s in shares)
    return f"{name:<24}{model.family:<8}{frame.height:>8}{told}   {'yes' if inside else 'no'}"


def main(names: list[str]) -> None:
    """Print the table."""
    folder = Path(os.environ.get("TSLAM_RECORDED", "nowhere"))
    print(
        f"{'record':<24}{'family':<8}{'rows':>8}"
        + "".join(f"{f'h={h}':>8}" for h in HORIZONS)
        + "   in .87-.93"
    )
    fresh, names = "fresh" in names, [n for n in names if n != "fresh"]
    for name in names or [*tslam.plants.PLANTS, *(s for s in SETS if (folder / f"{s}.parquet").is_file())]:
        print(line(name, folder, fresh=fresh), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
