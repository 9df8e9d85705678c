"""Teaches a sentence-transformers model from questions and what answered them, in a process of its own that yields to everybody else's.

The loss is multiple-negatives ranking (Henderson et al. 2017): of all answers in a batch the question's own should be the nearest. What
else is right for a question is never held against it. The taught weights are then averaged with those they came from (Wortsman et al. 2022,
WiSE-FT): a few thousand questions of one company should not cost what the model knew of the language.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copilot.errors import ConfigurationError, CopilotError
from copilot.settings import Settings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

NEEDED = ("torch", "sentence_transformers")
QUERY, DOCUMENT = ("query",), ("document", "passage", "corpus")
SAMPLE, SAME = 8, 0.9999
"""So many examples are read by the exported model too, and their vectors must have such a cosine."""
POLITE = 10
"""How far the process steps back: readers of the same machine come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is taught: how often everything is read, how fast, and how much of the taught weights is kept."""

    rounds: int = 1
    batch: int = 32
    rate: float = 2e-5
    warm_up: float = 0.1
    sharpness: float = 20.0
    share: float = 0.5
    tokens: int = 128
    seed: int = 7

    def steps(self, examples: int) -> int:
        """How many batches there are in all."""
        return self.rounds * -(-examples // self.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question, a text that answers it and, where there is one, a text that only looks like it; `answers` are all sources that are right."""

    question: str
    right: str
    source: str
    answers: tuple[str, ...]
    wrong: str | None = None
    wrong_source: str = ""


Told = Callable[[int, int], None]


def require() -> None:
    """Raises ConfigurationError where what teaching needs is not installed, with what to install."""
    if lacking := [name for name in NEEDED if find_spec(name) is None]:
        named = " and ".join(name.replace("_", "-") for name in lacking)
        raise ConfigurationError(
            f"Training an embedding model needs {named}. Install them beside the copilot: pip install torch sentence-transformers."
        )


def taught(
    base: str, examples: Sequence[Example], target: Path, recipe: Recipe, settings: Settings, tell: Told
) -> None:
    """The base model, taught, in the target folder as sentence-transformers keeps it, and exported where ONNX Runtime will run it.

    The examples go through a pipe: no file ever holds them. Raises ConfigurationError, CopilotError.
    """
    require()
    exported = settings.engine != "torch"
    work = {
        "base": base, "target": str(target), "threads": settings.threads, "recipe": asdict(recipe),
        "cache": str(settings.models) if exported else None, "window": settings.window,
        "examples": [asdict(one) for one in examples],
    }  # fmt: skip
    command = [sys.executable, "-m", "copilot.adapters.tuning"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8"
        ) as process,
    ):
        try:
            _follow(process, json.dumps(work), tell)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["it was killed"])[-1]
            raise CopilotError(f"The embedding model could not be taught: {last}")


def _follow(process: subprocess.Popen[str], work: str, tell: Told) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(work)
        process.stdin.close()
    except BrokenPipeError:  # it failed before it had read everything: its last words tell
        pass
    for line in process.stdout:
        done, total = map(int, line.split())
        tell(done, total)
    process.wait()


# ---- in the process of its own ----


def main() -> None:
    """Read the work from the standard input, teach, tell each step as `done total`."""
    os.nice(POLITE)
    work = json.loads(sys.stdin.read())
    examples = [Example(**{**one, "answers": tuple(one["answers"])}) for one in work["examples"]]
    model = _loaded(work["base"], work["threads"], Recipe(**work["recipe"]))
    teach(model, examples, Recipe(**work["recipe"]), lambda done, total: print(done, total, flush=True))  # noqa: T201
    model.save(work["target"], create_model_card=False)
    if work["cache"]:
        texts = [text for one in examples[:SAMPLE] for text in (one.question, one.right)]
        _export(model, texts, Path(work["target"]), Path(work["cache"]), work["window"])


def _export(model: SentenceTransformer, texts: list[str], folder: Path, cache: Path, window: int) -> None:
    """Put the model's graph into the cache. Raises ConfigurationError where it reads these texts in another way than the model does."""
    from copilot.adapters.onnx import from_folder

    model.max_seq_length = window
    expected = model.encode(texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False)
    found = from_folder(folder, cache, 1, window).embed(texts, "document")
    if not (worst := float((found * expected).sum(axis=1).min())) >= SAME:
        raise ConfigurationError(
            f"The exported model differs from the taught one (cosine {worst:.5f}). Set COPILOT_ENGINE=torch."
        )


def _loaded(base: str, threads: int, recipe: Recipe) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    return SentenceTransformer(base, device="cpu", trust_remote_code=False)


def teach(model: SentenceTransformer, examples: Sequence[Example], recipe: Recipe, tell: Told) -> None:
    """Change the model's weights. The same examples give the same weights on the same machine."""
    import torch

    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    window, model.max_seq_length = model.max_seq_length, min(recipe.tokens, model.max_seq_length or recipe.tokens)
    total = recipe.steps(len(examples))
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, total, recipe.warm_up))
    model.train()
    for done, batch in enumerate(_batches(examples, recipe), 1):
        optimiser.zero_grad()
        _loss(model, batch, recipe.sharpness).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        tell(done, total)
    model.eval()
    model.max_seq_length = window
    model.load_state_dict({name: _between(before[name], now, recipe.share) for name, now in model.state_dict().items()})


def _batches(examples: Sequence[Example], recipe: Recipe) -> Iterator[list[Example]]:
    import torch

    chance = torch.Generator().manual_seed(recipe.seed)
    for _ in range(recipe.rounds):
        order = torch.randperm(len(examples), generator=chance).tolist()
        for at in range(0, len(order), recipe.batch):
            yield [examples[n] for n in order[at : at + recipe.batch]]


def _loss(model: SentenceTransformer, batch: Sequence[Example], sharpness: float) -> torch.Tensor:
    """The cross-entropy of each question's own answer among all answers and near misses of the batch."""
    import torch

    missed = [(one.wrong, one.wrong_source) for one in batch if one.wrong is not None]
    questions = _read(model, [one.question for one in batch], QUERY)
    answers = _read(model, [*(one.right for one in batch), *(text for text, _ in missed)], DOCUMENT)
    sources = [*(one.source for one in batch), *(source for _, source in missed)]
    also = [[source in one.answers and n != at for n, source in enumerate(sources)] for at, one in enumerate(batch)]
    scores = (sharpness * questions @ answers.T).masked_fill(torch.tensor(also), float("-inf"))
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(batch)))


def _read(model: SentenceTransformer, texts: list[str], prompts: Sequence[str]) -> torch.Tensor:
    """Unit vectors, with the model's own prompt for such texts, if it has one."""
    import torch

    prompt = next((model.prompts[name] for name in prompts if model.prompts.get(name)), None)
    features: dict[str, Any] = model(dict(model.preprocess(texts, prompt=prompt)))
    return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)


def _pace(step: int, total: int, warm_up: float) -> float:
    """Up from 0 to 1, then down to 0, both evenly."""
    rising = max(1, round(warm_up * total))
    return (step + 1) / rising if step < rising else max(0.0, (total - step) / max(1, total - rising))


def _between(before: torch.Tensor, now: torch.Tensor, share: float) -> torch.Tensor:
    return before + share * (now - before) if now.is_floating_point() else now


if __name__ == "__main__":
    main()
