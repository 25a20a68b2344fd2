"""The findings rendered: HTML, JSON, Markdown, JUnit and a contract patch from one typed model."""

from tslam.report.build import build_report
from tslam.report.facts import ChannelSkill, ColumnFacts, DataFacts, ModelFacts, Timeline, Track
from tslam.report.model import SCHEMA_VERSION, GapReport

__all__ = [
    "SCHEMA_VERSION",
    "ChannelSkill",
    "ColumnFacts",
    "DataFacts",
    "GapReport",
    "ModelFacts",
    "Timeline",
    "Track",
    "build_report",
]
