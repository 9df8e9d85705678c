"""Which encoding a text has that is not UTF-8: Western European where that gives ordinary words, else what it looks like as a whole.

A detector needs some length to tell alphabets apart: of one line it makes `gedr³ckt` of `gedrückt`.
"""

from __future__ import annotations

import re

_LETTERS = re.compile(r"[^\W\d_²³¹¼½¾]")
_ALPHABETS = {
    "cp1252": (
        "äöüßéèàç", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíîòóùú", "áéíóúàèêëïöü", "æøåéèêóòâôäöü", "åäöéõüàšž", "àçèéíïòóúü",
    ),
    "cp1254": ("çğıöşüâîû",),
}  # fmt: skip
"""The letters beyond a to z of German, French, Spanish, Portuguese, Italian, Dutch, Danish, Swedish or Finnish, Catalan; of Turkish."""
_WESTERN = frozenset("".join(_ALPHABETS["cp1252"])) - frozenset("šž")
_SIGNS = frozenset("\xa0€‚„…‰‹‘’“”•–—™›¡¢£¥§©ª«®°±²³´µ¶·º»¼½¾¿×÷")
_WITHIN = re.compile(r"(?<=[^\W\d_²³¹¼½¾])(?![’‘´·–—…/])[^\x00-\x7f](?=[^\W\d_²³¹¼½¾])")
_ODD = re.compile(
    r"[a-zß-ÿ][À-ÖØ-ÞŠŒŽŸ]"  # a capital within a word
    r"|(?<![^\W\d_²³¹¼½¾])(?:(?![a-zA-Z])[^\W\d_²³¹¼½¾]){2,}(?![^\W\d_²³¹¼½¾])"  # a word of such letters alone
    r"|(?<![mM])(?<=[^\W\d_²³¹¼½¾])[²³]"
)
MOST = 0.4
"""So many of the letters may be beyond a to z: of no such language it is a fifth, of Cyrillic it is nearly all."""
FEW = 0.03
"""With so few of them they may be of several languages: names and borrowed words."""


def likely(data: bytes) -> str | None:
    """The encoding that makes ordinary words of these bytes; None where none does."""
    return next((encoding for encoding, alphabets in _ALPHABETS.items() if _fits(data, encoding, alphabets)), None)


def _fits(data: bytes, encoding: str, alphabets: tuple[str, ...]) -> bool:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    letters = [one.lower() for one in _LETTERS.findall(text)]
    beyond = [one for one in letters if not one.isascii()]
    used = frozenset(beyond) - {"i̇", "º", "ª", "µ"}
    signs = {one for one in text if not one.isascii() and not _LETTERS.match(one)}
    if not signs <= _SIGNS or len(beyond) > MOST * len(letters) or ("¿" in signs and "?" not in text):
        return False
    if _ODD.search(text) or any(not _LETTERS.match(found[0]) for found in _WITHIN.finditer(text)):
        return False
    return any(used <= frozenset(one) for one in alphabets) or (
        encoding == "cp1252" and used <= _WESTERN and len(beyond) <= FEW * len(letters)
    )
