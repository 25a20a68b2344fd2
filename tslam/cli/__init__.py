"""The command line: the verbs of the library, in plain words, with exit codes for pipelines."""

from tslam.cli.app import main

__all__ = ["main"]
