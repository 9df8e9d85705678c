"""What sends a reader elsewhere: to another part of the page, to other pages, to the support that is just replying."""

from __future__ import annotations

import re

_PARTS = "sections?|parts?|chapters?|methods?|steps|instructions|procedures?|examples?|solutions?|pages?|articles?|information|details|guides?"
_TOLD = "explained|described|shown|mentioned|noted|outlined|stated|detailed|discussed|listed|instructed|given|seen"
_THERE = "above|below|earlier"

ASIDE = re.compile(
    rf" ?\((?:please )?(?:see|read|details?|more|instructions|as|{_TOLD})\b[^()\n]{{0,80}}\b(?:{_THERE})\b[^()\n]{{0,40}}\)|"
    r"(?<=[\w)\"”’])(?:"
    r"(?<!proceed)(?<!continue)(?<!same)(?<!\bdo)(?<!\bis)(?<!look)(?<!looks)"
    rf"(?: (?:exactly |just )?as (?:(?:above|below)|(?:{_TOLD}) (?:\w+ ){{0,2}}?(?:{_THERE}))\b|"
    rf", as (?:{_TOLD}) (?:\w+ ){{0,2}}?(?:{_THERE})(?:(?!,)|,(?= (?:and|or|then|but)\b)))|"
    r"(?<!\bif)(?<!\bwhen)(?<!\bafter)(?<!\bbefore)(?<!\bwhile),? (?:with|using|by|via|through|following|per|in|from) (?:one of |any of |all )?"
    rf"(?:the |these |those )?(?:[\w-]+ )?(?:{_PARTS}) (?:(?:{_TOLD}) )?(?:above|below)(?=[.,;:)]))",
    re.I,
)
"""A phrase that can be left out of its sentence: "(see below)", "as described above", "using one of the methods below"."""
ELSEWHERE = re.compile(
    rf"^(?!as )(?=.*\b(?:(?:{_PARTS}|{_TOLD}|see|as) (?:[\w-]+ ){{0,2}}?(?:above|below)|"
    r"(?:above|following|next|previous|preceding|last) (?:sections?|chapters?|articles?|pages?|links?|paragraphs?))\b(?! \d| zero| freezing))|"
    r"^see (?!if\b|whether\b|that\b|what\b|how\b|who\b|which\b)[^\n]{1,120}$|"
    r"\b(?:follow|see|read|use|using) the (?:\w+ )?(?:instructions|steps|procedure|guide) (?:in|at|on|from|of) (?-i:[A-Z\"“‘'])",
    re.I | re.S,
)
"""A sentence that tells little without what it points to, on this page or another."""
ABOVE = re.compile(r"\b(?:above|previous|preceding)\b", re.I)
LINKS = re.compile(
    r"\b(?:see|visit|read)\b[^.\n]{0,80}:$|\b(?:pages|articles|sections|guides|links|resources|topics)\b[^.\n]{0,80}:$",
    re.I,
)
"""What announces a list of pages to go to."""
POINTER = re.compile(
    r"^(?:in )?this (?:article|page|guide|section|document)\b|^(?:- |\* )?(?:see|read) (?:also|the|our)\b|^table of contents|"
    r"\b(?:for (?:more|further|other|detailed) (?:information|details|help|instructions)|to learn more)\b|"
    r"^(?:related|see also|contents|learn more)\b|"
    r"\b(?:screenshot|image|picture|video|diagram)s? (?:below|above)\b|"
    r"^if (?:you|the|this|that|it|none|your|problems?)\b[^.\n]{0,80}\b(?:still|further|any other|persists?|continues?|"
    r"more (?:help|questions|problems)|not (?:help|work|solve)\w*|questions)\b[^.\n]{0,80}"
    r"\b(?:contact us|(?:our|the|\w+) (?:support|forum|help ?desk|community)\b|ask (?:us|a question|for (?:help|support)))",
    re.I,
)
"""What has no place in a reply, however it is told: where to read on, and whom to ask, since that is who replies."""
