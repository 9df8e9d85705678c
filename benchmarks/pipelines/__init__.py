"""The quick-start pipelines that `benchmarks.peers` compares, each run in an environment of its own; only `measure` is shared."""
