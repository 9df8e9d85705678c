"""How sentences and headings begin that hang on what stands before or behind them, in the languages that sources are quoted in."""

from __future__ import annotations

import re

from copilot.sayable import FEWEST
from copilot.scripts import MARKED, QUESTIONS, count_words

HANGS = re.compile(
    rf"^(?:{MARKED})?"
    r"(?:this|that|these|those|it|they|then|also|instead|alternatively|otherwise|"
    r"however|but|and|so|if so|if not|in that case|such|yes|no|here|both)\b|"
    r"(?:[^\s,;:.]+ ){1,4}(?:(?:do|does|did|is|are|was|were|can|will|has|have|may|must|should) not|[a-z]+n['’]t|cannot)\W*$|"
    r"[这這那它其此]|然后|然後|接着|接著|另外|或者|否则|否則|但|不过|不過|因此|所以|是的|"
    r"こ[のれ]|そ[のれう]|また|次に|ただし|しかし|もしくは|이 |그 |그러나|하지만|또는",
    re.I,
)
"""A sentence, or an item, that goes on from what stands before it: by how it begins, or because it has no verb of its own (`Cats do not.`)."""
REFERS = re.compile(
    r"(?:[^\s,;:.]+ ){0,4}(?:it|them|this|these|each)"
    r"(?:[.,;:]|$| (?:is|was|are|were|for|in|on|to|with|as|at|by|up|out|along|away|from|says|reads)\b)",
    re.I,
)
"""A first sentence that speaks of something which its heading names: `We do this for you.`, `Sweep it out`."""
PROVIDES = re.compile(
    r"(?:if|unless|once|only|except|otherwise|wenn|falls|sonst|außer|si|sauf|sinon|als|tenzij|anders|alleen|salvo)\b|如果|若|否则|否則",
    re.I,
)
"""How a sentence begins that says in which case the one before it holds, or what holds in another."""
BANS = re.compile(r"(?:do not|don['’]t|never|unless|otherwise)\b|请勿|切勿|不要", re.I)
"""What must not be done, or happens else: it stays with its step."""
CASE = re.compile(
    r"^(?:if|when|where|after|before|unless|in case|only|still|no |not |my |i |what if|wenn|falls|"
    r"in (?:the|a|an|your|my)|on|for|with|without|using|via|im|auf|für|mit|ohne|bei|"
    r"how (?:long|much|many|often|far|soon)|wie (?:lange|viele?|oft|weit)|combien|hoe (?:lang|veel|vaak|ver)|cuánt\w{1,2})\b|[?？]$|"
    r"^[如若当當]|时$|時$|[不没沒无無]|場合|とき|ない|ません|않|없|때$|หาก|เมื่อ|ไม่",
    re.I,
)
"""A heading that says when, where or for whom, or asks: what stands below is said of that."""


def leads(words: str) -> bool:
    """Whether the next sentence belongs to it: to a question, or to the "No." that it explains."""
    return words.endswith(QUESTIONS) or count_words(words) < FEWEST
