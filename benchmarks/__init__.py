"""Speed and quality of the whole, measured; `README.md` has the figures."""
