"""Fills the index: load, clean, split, embed, switch the revision; `pipeline` is the way in."""
