"""The product: a conversation goes in, a cited suggestion comes out.

`domain` has every noun, `ports` the seams, `assist` the whole path on one screen, `build` the only place that names adapters,
`store` the truth, `adapters` what can be exchanged.
"""
