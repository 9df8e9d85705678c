"""What keeps knowledge true: gaps, near-duplicates, contradictions, stale and unused documents, each with the words that show it."""
