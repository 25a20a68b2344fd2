"""What to type: the examples that `--help` ends with."""

__all__ = ["examples"]

_OF = {
    "tslam": (
        ("see what it does", "tslam demo --open"),
        ("find what nobody logged", "tslam audit plant.parquet --actions pump_1 --exog ambient"),
        ("draft a contract", "tslam contract infer plant.parquet --out plant.odcs.yaml"),
        ("audit by contract", "tslam audit plant.parquet --contract plant.odcs.yaml"),
    ),
    "fit": (
        ("roles by name", "tslam fit plant.parquet --actions pump_1 --exog ambient --out runs/plant"),
        ("by contract, many files", 'tslam fit "data/*.parquet" --contract plant.odcs.yaml'),
    ),
    "audit": (
        ("roles by name", "tslam audit plant.parquet --actions pump_1 --exog ambient"),
        ("a report to read", "tslam audit plant.parquet --contract plant.odcs.yaml --html gaps.html"),
        ("a step of a pipeline", "tslam audit plant.parquet --contract plant.odcs.yaml \\"),
        ("", "    --policy tslam.toml --junit junit.xml --patch patch.odcs.yaml"),
        ("every night, new files", "tslam audit data --model runs/plant --since last"),
        ("into another program", "tslam audit plant.parquet --model runs/plant --json - | jq .findings.gaps"),
    ),
    "contract": (
        ("1. draft", "tslam contract infer plant.parquet --out plant.odcs.yaml"),
        ("2. correct it by hand, then", "tslam contract lint plant.odcs.yaml"),
        ("3. hold data against it", "tslam contract check plant.parquet plant.odcs.yaml"),
        ("4. audit", "tslam audit plant.parquet --contract plant.odcs.yaml --patch patch.yaml"),
        ("5. take the patch", "tslam contract apply plant.odcs.yaml patch.yaml --out new.odcs.yaml"),
        ("6. see whom it breaks", "tslam contract diff plant.odcs.yaml new.odcs.yaml"),
    ),
    "contract check": (
        ("many files", 'tslam contract check "data/*.parquet" plant.odcs.yaml'),
        ("every failure", "tslam contract check plant.parquet plant.odcs.yaml --json --limit 1000000"),
    ),
    "contract apply": (
        ("a better name", "tslam contract apply plant.odcs.yaml patch.yaml \\"),
        ("", "    --rename unlogged_action_on_level=valve --out new.odcs.yaml"),
    ),
    "contract convert": (("the newer standard", "tslam contract convert plant.odcs.yaml --to v3.2.0"),),
}


def examples(command: str) -> str:
    """The examples of a command, as click keeps lines as they are."""
    width = max(len(what) for what, _ in _OF[command]) + 2
    lines = (f"  {what:<{width}}{typed}" for what, typed in _OF[command])
    return "\b\nExamples:\n" + "\n".join(lines)
