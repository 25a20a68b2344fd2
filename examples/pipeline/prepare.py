"""The files that run.sh starts from: a record of a tank without its valve's log, and a contract without it.

``python examples/pipeline/prepare.py FOLDER`` (from the root of the repository)
"""

import sys
from pathlib import Path

from tslam import Contract, plants

HERE = Path(__file__).parent
LOST = "valve"


def main(folder: Path) -> None:
    """Write plant.parquet, plant_mended.parquet and plant.odcs.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    record = plants.simulate("tank", rows=3000, seed=1)
    whole = Contract.from_odcs(HERE.parents[1] / "contracts" / "tank.odcs.yaml")
    short = whole.model_copy(update={"columns": tuple(c for c in whole.columns if c.name != LOST)})
    whole.write_parquet(record.frame, folder / "plant_mended.parquet")
    short.write_parquet(record.frame.drop(LOST), folder / "plant.parquet")
    text = "# Kept by team tanks.\n" + short.to_odcs()
    (folder / "plant.odcs.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
