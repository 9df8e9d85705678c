"""What can be exchanged, one outside library a file; only `build` names these."""
