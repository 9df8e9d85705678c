"""The truth: SQL tables and the few objects that read and write them."""
