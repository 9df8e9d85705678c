"""Fits an attention probe, with torch. Nothing that serves needs it: what is shipped was fitted before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Vectors
from copilot.probe import Probe

HIDDEN, HEADS = 64, 8
EPOCHS, BATCH, SORTED = 10, 64, 20
RATE, DECAY, DROPPED = 4e-3, 0.05, 0.2
"""Chosen on every fourth of the forum's older messages (decision 0009)."""


def fit_probe(states: Sequence[Vectors], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> Probe:
    """The probe that tells the targets of these texts best: cross-entropy, rare targets weighing more by the root of how rare they are.

    The same input gives the same probe on the same machine.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(0)
    chance = np.random.default_rng(0)
    lengths = [len(one) for one in states]
    net = _net(states[0].shape[1], truth.shape[1])
    holds, worth = torch.tensor(truth, dtype=torch.float32), torch.tensor(weights, dtype=torch.float32)[:, None]
    share = holds.mean(0).clamp(1 / len(states), 0.5)
    rare = ((1 - share) / share).sqrt()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * sum(1 for _ in _batches(np.arange(len(states)), lengths))
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        batches = list(_batches(chance.permutation(len(states)), lengths))
        for at in chance.permutation(len(batches)).tolist():
            rows = batches[at]
            loss = binary_cross_entropy_with_logits(
                net(*_padded([states[row] for row in rows])), holds[rows], pos_weight=rare, reduction="none"
            )
            optimiser.zero_grad()
            (loss * worth[rows]).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            rates.step()
    return _weights(net)


def _batches(order: NDArray[np.int64], lengths: Sequence[int]) -> list[list[int]]:
    """Texts of about the same length together, within stretches of the order, so that little is padded."""
    many = BATCH * SORTED
    stretches = (sorted(order[at : at + many].tolist(), key=lengths.__getitem__) for at in range(0, len(order), many))
    return [stretch[at : at + BATCH] for stretch in stretches for at in range(0, len(stretch), BATCH)]


def _padded(states: Sequence[Vectors]) -> tuple[Any, Any]:
    """The texts' states side by side, and which of them are there."""
    import torch

    there = torch.zeros(len(states), max(map(len, states)))
    rows = torch.zeros(*there.shape, states[0].shape[1])
    for at, one in enumerate(states):
        rows[at, : len(one)] = torch.from_numpy(one.astype(np.float32))
        there[at, : len(one)] = 1
    return rows, there


def _net(dimensions: int, targets: int) -> Any:
    """What `Probe` computes, to be fitted."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.dropped = nn.Linear(dimensions, HIDDEN), nn.Dropout(DROPPED)
            self.look, self.value = (nn.Linear(HIDDEN, HEADS * targets, bias=False) for _ in range(2))
            self.mean = nn.Linear(dimensions, targets)

        def forward(self, states: Any, there: Any) -> Any:
            hidden = torch.relu(self.inner(self.dropped(states)))
            shares = self.look(hidden).masked_fill(there[..., None] == 0, -1e4).softmax(1)
            said = (shares * self.value(hidden)).sum(1).view(-1, HEADS, targets).sum(1)
            mean = (states * there[..., None]).sum(1) / there.sum(1, keepdim=True)
            return said + self.mean(self.dropped(mean))

    return Net()


def _weights(net: Any) -> Probe:
    """The fitted net's weights, in the precision that they are kept in."""

    def kept(weights: Any) -> NDArray[np.float32]:
        return np.asarray(weights.detach().numpy().T, dtype=np.float16).astype(np.float32)

    return Probe(
        inner=kept(net.inner.weight), inner_constant=kept(net.inner.bias), look=kept(net.look.weight), value=kept(net.value.weight),
        mean=kept(net.mean.weight), constant=kept(net.mean.bias),
    )  # fmt: skip
