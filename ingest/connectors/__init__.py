"""Connectors, one a file: they list what a source holds, changed and gone."""
