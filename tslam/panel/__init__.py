"""Frames on a regular grid: ingest, cadence, masks, scaling, windows by index, and splits by time."""

from tslam.panel.build import build
from tslam.panel.ingest import FrameKind, back, columns, read
from tslam.panel.panel import Code, Encoding, Feature, Panel, Scaling, Segment
from tslam.panel.split import Split, folds, split
from tslam.panel.windows import Design, carried_share, design, transitions

__all__ = [
    "Code",
    "Design",
    "Encoding",
    "Feature",
    "FrameKind",
    "Panel",
    "Scaling",
    "Segment",
    "Split",
    "back",
    "build",
    "carried_share",
    "columns",
    "design",
    "folds",
    "read",
    "split",
    "transitions",
]
