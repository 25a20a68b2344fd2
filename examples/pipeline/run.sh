#!/usr/bin/env bash
# An audit as a step of a pipeline. The valve of a tank lost its log: the step fails, says so, and proposes
# the column. The contract takes the proposal under the valve's name, the log comes back, the step passes.
set -euo pipefail
cd "${1:?usage: run.sh FOLDER (holds plant.parquet, plant_mended.parquet, plant.odcs.yaml)}"

echo "== the step fails"
code=0
tslam audit plant.parquet --contract plant.odcs.yaml --config linear \
  --junit junit.xml --patch patch.odcs.yaml --json gaps.json || code=$?
test "$code" -eq 1

echo "== the change to the contract"
proposed="$(sed -n 's/^ *- name: \(unlogged_.*\)$/\1/p' patch.odcs.yaml | head -n 1)"
tslam contract apply plant.odcs.yaml patch.odcs.yaml --rename "$proposed=valve" --out plant_new.odcs.yaml
tslam contract lint plant_new.odcs.yaml
tslam contract diff plant.odcs.yaml plant_new.odcs.yaml

echo "== the log is back"
tslam contract check plant_mended.parquet plant_new.odcs.yaml
tslam audit plant_mended.parquet --contract plant_new.odcs.yaml --config linear --junit junit_after.xml
