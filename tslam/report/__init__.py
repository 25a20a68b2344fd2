"""The findings rendered: HTML, JSON, Markdown, JUnit and a contract patch from one typed model."""

from tslam.report.build import build_report
from tslam.report.facts import (
    ChannelSkill,
    ColumnFacts,
    DataFacts,
    LatentFacts,
    ModelFacts,
    Timeline,
    Track,
)
from tslam.report.model import SCHEMA_VERSION, GapReport
from tslam.report.policy import Policy

__all__ = [
    "SCHEMA_VERSION",
    "ChannelSkill",
    "ColumnFacts",
    "DataFacts",
    "GapReport",
    "LatentFacts",
    "ModelFacts",
    "Policy",
    "Timeline",
    "Track",
    "build_report",
]
