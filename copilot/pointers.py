"""What sends a reader elsewhere: to another part of the page, to other pages, to the support that is just replying."""

from __future__ import annotations

import re

_PARTS = "sections?|parts?|chapters?|methods?|steps|instructions|procedures?|examples?|solutions?|pages?|articles?|information|details|guides?"
_TOLD = "explained|described|shown|mentioned|noted|outlined|stated|detailed|discussed|listed|instructed|given|seen"
_THERE = "above|below|earlier"
THERE = re.compile(rf"\b(?:{_THERE})\b", re.I)
ASIDE_REACH = 130
"""So far from such a word a phrase with it may begin or end."""

ASIDE = re.compile(
    rf" ?\((?:please )?(?:see|read|details?|more|instructions|as|{_TOLD})\b[^()\n]{{0,80}}\b(?:{_THERE})\b[^()\n]{{0,40}}\)|"
    r"(?<=[\w)\"”’])(?:"
    r"(?<!proceed)(?<!continue)(?<!same)(?<!\bdo)(?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)(?<!\bbe)(?<!\bnot)(?<!given)(?<!look)(?<!looks)"
    rf"(?: (?:exactly |just )?as (?:(?:above|below)(?=[.,;:)]|$)|(?:{_TOLD}) (?:\w+ ){{0,2}}?(?:{_THERE})\b)|"
    rf", as (?:{_TOLD}) (?:\w+ ){{0,2}}?(?:{_THERE})(?:(?!,)|,(?= (?:and|or|then|but)\b)))|"
    r"(?<!\bif)(?<!\bwhen)(?<!\bafter)(?<!\bbefore)(?<!\bwhile),? (?:with|using|by|via|through|following|per|in|from) (?:one of |any of |all )?"
    rf"(?:the |these |those )?(?:[\w-]+ )?(?:{_PARTS}) (?:(?:{_TOLD}) )?(?:above|below)(?=[.,;:)]))",
    re.I,
)
"""A phrase that can be left out of its sentence: "(see below)", "as described above", "using one of the methods below"."""
TURNS = re.compile(
    r"\b(?:not|never|only|unless|except|if|without|no|cannot|can['’]t|don['’]t|doesn['’]t|won['’]t)\b", re.I
)
"""What such a phrase may belong to: "Do not reset it using the steps below" says something else without it."""
POINTS = re.compile(
    rf"\b(?:{_PARTS}|{_TOLD}|see|as) (?:[\w-]+ ){{0,2}}?(?:above|below)\b(?! \d| zero| freezing)|"
    r"\b(?:above|following|previous|preceding) (?:sections?|chapters?|articles?|paragraphs?)\b|\b(?:in|see|read|from|on) the (?:next|last|following) "
    r"(?:sections?|chapters?|articles?|pages?|paragraphs?)\b",
    re.I,
)
PLACES = ("above", "below", "section", "chapter", "article", "page", "link", "paragraph")
"""Each of them holds one of these: looking for them first costs a tenth."""
FOLLOW = re.compile(
    r"\b(?:follow|see|read|use|using) the (?:\w+ )?(?:instructions|steps|procedure|guide) (?:in|at|on|from|of) (?-i:[A-Z\"“‘'])",
    re.I,
)
SEE = re.compile(r"see (?!if\b|whether\b|that\b|what\b|how\b|who\b|which\b)[^\n]{1,120}$", re.I)
ABOVE = re.compile(r"\b(?:above|previous|preceding)\b", re.I)
LINKS = re.compile(
    r"(?:^|[.!?] )(?:please |also )?(?:see|visit|read|refer to)\b(?! if\b| whether\b)[^.\n]{0,80}:$|"
    r"^(?:these|the following|our|more|further|other|related) (?:\w+ ){0,2}(?:pages|articles|sections|guides|links|resources|topics)\b[^.\n]{0,80}:$|"
    r"[.!?] these (?:\w+ ){0,2}(?:pages|articles|sections|guides|links|resources|topics)\b[^.\n]{0,80}:$",
    re.I,
)
"""What announces a list of pages to go to."""
POINTER = re.compile(
    r"^(?:in )?this (?:article|page|guide|section|document)\b|^(?:- |\* )?(?:see|read) (?:also|the|our)\b|^table of contents|"
    r"\b(?:for (?:more|further|other|detailed) (?:information|details|help|instructions)|to learn more)\b|"
    r"^(?:related|see also|contents|learn more|more about)\b|^then (?:please )?(?:contact|write to|call|e-?mail) (?:us|our|support)\b|"
    r"^(?:none of (?:this|these|them|it|the above)|nothing) (?:has |have )?(?:help|work)\w{0,2}\?$|"
    r"^(?:last |page )?(?:updated|modified|reviewed|edited|published)(?: on)?:? (?:\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w{0,7} \d)"
    r"[\w ,./-]{0,30}$|^zuletzt (?:aktualisiert|geändert)|"
    r"^dernière mise à jour|^laatst (?:bijgewerkt|gewijzigd)|^última actualización|^最后更新|^最終更新|"
    r"\b(?:screenshot|image|picture|video|diagram)s? (?:below|above)\b|"
    r"^if (?:you|the|this|that|it|none|your|problems?)\b[^.\n]{0,80}\b(?:still|further|any other|persists?|continues?|"
    r"more (?:help|questions|problems)|not (?:help|work|solve)\w*|questions)\b[^.\n]{0,80}"
    r"\b(?:contact us|(?:our|the|\w+) (?:support|forum|help ?desk|community)\b|ask (?:us|a question|for (?:help|support)))|"
    r"^本(?:文|页|頁|指南|章|节|節|記事|ページ)|^この(?:記事|ページ|ガイド|章)|^이 (?:문서|글|페이지|도움말)|^บทความนี้|"
    r"详见|詳見|请?参[阅见見]|請?參閱|更多(?:信息|資訊|内容|內容)|了解更多|如[上下]?[图圖]所示|[上下]の(?:画像|図)|をご覧ください|を参照|ご参照|詳しくは|詳細は|"
    r"자세한 (?:내용|정보)|참[조고]하|เพิ่มเติมได้ที่|(?:如|若|仍|場合)[^。\n]{0,40}(?:联系(?:我们|客服)|聯絡(?:我們|客服)|お問い合わせ)",
    re.I,
)
"""What has no place in a reply, however it is told: where to read on, and whom to ask, since that is who replies."""


def elsewhere(words: str) -> bool:
    """Whether a sentence tells little without what it points to, on this page or another."""
    low = words.lower()
    if low.startswith("see "):
        return SEE.match(words) is not None
    points = not low.startswith("as ") and any(place in low for place in PLACES) and POINTS.search(words)
    return bool(points or FOLLOW.search(words))
