"""Tarnbrook, the demo company: articles, macros, tickets and labelled incoming messages in the documented formats."""

from pathlib import Path

FOLDER = Path(__file__).parent
