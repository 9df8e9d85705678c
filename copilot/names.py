"""Where a text names a person: after a greeting, under a closing, after a title, where somebody says who they are, and names known beforehand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from copilot.domain import Conversation
from copilot.finders import Finder, Traits, may, plain, rule
from copilot.mail import CAPITAL, CLOSING
from copilot.text import GREETING, normalise

LEARNT, LEARNT_CHARS = 50, 100_000
"""How many names a thread may teach, and how much of it is read for them, from its end."""

_TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herrn?|Frau|Mevr(?:ouw)?|Mw|Meneer|Dhr|Madame|Mme|Mlle|Monsieur|Señora?|Sra?|Signora?|[Ff]amil(?:ie|y|le)|M(?=\.))"
    r"(?:\.|\. | )(?:(?:Dr|Prof)\.? )?"
)
_OF = r"(?:(?:van|von|de|der|den|del|la|le|du|dos|da|di|el|al|bin|ten|ter|zu|’t|'t) ){0,3}"
_WORD = rf"{CAPITAL}[^\W\d_]+(?:['’-][^\W\d_]+)?"
_PERSON = rf"(?:{_WORD}|{CAPITAL}\.)"
_FULL = rf"{_PERSON}(?: {_OF}{_PERSON}){{0,3}}"
_TWO = rf"{_WORD}(?: {_OF}{_PERSON}){{1,3}}"
_END = r"(?=[ \t]*(?:[,!.:;)\n–—-]|$))"
_LINE = r"(?m:^)[ \t]{0,20}"
_CLOSED = rf"{_LINE}(?i:{CLOSING})"
_GREETED = (
    rf"(?:{_LINE}|(?<=[.!?] ))(?i:{GREETING})[ ,]{{1,2}}(?:{_TITLE})?(?P<it>{_FULL}){_END}",
    rf"(?i:\b(?:thanks|thank you|thx|danke|bedankt|merci|gracias)(?: again| so much| very much)?)[ ,]{{1,2}}(?P<it>{_PERSON}){_END}",
)
_CONTACT = r"(?:[+(]{0,2}\d[\d ()/.-]{6,}|[\w.%+-]{1,64}(?:@| ?[(\[]at)|(?i:tel|phone|mobile?|cell)\b)"
_APART = r"(?: ?[,–—-] ?|(?<=[sS]) )"
_RUNNING = rf"(?:{_LINE}|(?<=[.!?] ))(?i:{CLOSING}){_APART}"
_KIN = "wife|husband|son|daughter|mother|father|mum|mom|dad|brother|sister|colleague|neighbou?r|flatmate|roommate|grand(?:mother|father|son|daughter)"
_SIGN_IN = r"(?:user ?names?|user ?ids?|log-?ins?(?: names?)?|screen names?|nick ?names?|alias|account names?)"
_SAID = "name", "heisse", "heet", "appelle", "nom est", "me llamo", "nombre", "naam", "goes by"
_SIGNED_IN = "user", "log", "screen", "nick", "alias", "account"
_SMALL = r"[a-zà-öø-ÿ]{3,15}"
_INTRODUCED: tuple[tuple[str, tuple[str, ...]], ...] = (  # with words of which a text must have one: see `Rule`
    (rf"{_CLOSED}[^\w\n]{{0,4}}\n{{1,2}}[ \t–—-]{{0,3}}(?P<it>{_FULL})[ \t.,]*(?=\n|\Z)", ()),
    (
        rf"{_CLOSED}[^\w\n]{{0,4}}\n{{1,2}}[ \t–—-]{{0,3}}(?P<it>{_SMALL}(?: {_SMALL})?)(?=\s{{0,9}}\Z|[ ,]{{0,2}}\n?{_CONTACT})",
        (),
    ),
    (rf"{_CLOSED}[ ,–—-]{{1,4}}(?P<it>{_FULL})[ \t.]*(?=\n|\Z)", ()),
    (rf"{_RUNNING}(?P<it>{_TWO})[ \t.]*(?=\n|\Z)", ()),
    (rf"{_RUNNING}(?P<it>{_FULL})[ ,|·–—-]{{1,4}}(?={_CONTACT})", ()),
    (
        r"(?i:\b(?:(?:my|our|his|her|the|full|first|last|maiden|customer) name(?:'s| is|:)|mein name ist|ich heiße|mijn naam is|ik heet|"
        r"je m[’']appelle|mon nom est|me llamo|mi nombre es|(?:vor|nach)name:|naam:|nombre:|goes by|"
        rf"name on the (?:bell|door|card|account|order|parcel) is)) (?:{_TITLE})?(?P<it>{_FULL})",
        _SAID,
    ),
    (
        r"(?i:\bmy name(?:'s| is)) (?P<it>[a-z]{3,15}(?: (?!and|from)[a-z]{3,15})?)(?= and\b| from\b|[,.!\n]|$)",
        ("my name",),
    ),
    (rf"(?i:\bhier (?:ist|spricht|schreibt)) (?P<it>{_TWO})(?= (?:aus|von|vom)\b|[,.!])", ("hier ",)),
    (rf"\b(?i:(?:my|our|his|her) (?:{_KIN})),? (?P<it>(?=.[a-zà-öø-ÿ]){_FULL})", ("my ", "our ", "his ", "her ")),
    (rf"(?i:\bthis is) (?P<it>{_FULL})(?=,? (?:from|here|calling|writing|at|again)\b)", ("this is ",)),
    (rf"(?i:\b(?:i'm|i am|i’m)) (?P<it>{_TWO})(?=[,.!\n]| (?:from|and|of|at)\b|$)", ("i'm ", "i am ", "i’m ")),
    (rf"(?<!\w){_TITLE}(?P<it>{_FULL})", ()),
    (rf"(?<!\w)(?P<it>{_TWO}) ?[<(\[](?=[\w.%+-]{{1,64}}@)", ("@",)),
    (
        rf"(?i:\b{_SIGN_IN}(?: is| was| =|:)) [\"'“‘]?(?P<it>[A-Za-z](?=[\w.-]{{0,40}}[\d_])[\w-]{{1,40}}(?:\.[\w-]{{1,40}})?)(?![\w@/\\]|\.\w)",
        _SIGNED_IN,
    ),
)
# Sure enough where it stands, and no reason to look for it elsewhere.
_IN_PLACE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"[,.!?] (?P<it>{_TWO})\.?\s{{0,9}}\Z", ()),
    (rf"(?i:\b(?:speak(?:ing)? with|spoke (?:to|with))) (?:{_TITLE})?(?P<it>{_FULL})", ("speak", "spoke")),
    (
        r"[\\/](?:Users|home|Benutzer|Utilisateurs|Usuarios)[\\/](?P<it>[^\W_][\w .-]{1,40})(?=[\\/])",
        ("users", "home", "benutzer", "utilisateurs", "usuarios"),
    ),
)
_ABOVE = re.compile(rf"(?<!\w)(?P<it>{_TWO})(?:,? ?\n|, )\s{{0,8}}\Z")
_NOBODY = frozenset(
    "all there team everyone everybody anyone someone folks guys sir madam support people community friend friends customer customers "
    "service helpdesk desk agent admin administrator guest user username yourname name public default shared owner me myself bot chat "
    "system unknown anonymous moderator helper help damen herren zusammen tous madame monsieur sirs both again hello hi hey dear thanks "
    "thank regards grüße grüsse gruß wünsche mozilla thunderbird firefox windows outlook office word excel exchange teams google gmail "
    "yahoo microsoft apple android linux mac macos ios iphone ipad samsung norton mcafee avast the this that what which when where how why "
    "who not and but for you your our its i in on at to of if so it is was my an no yes ok a we he she they using running having getting "
    "trying wrong missing incorrect correct misspelled displayed shown gone changed spelled spelt different just also still now here very "
    "really sorry please monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december today tomorrow yesterday best kind warm yours cheers sincerely gmbh gbr ltd inc llc corp bv company group "
    "advise asap soon waiting ideas reply appreciated assist regarding sent "
    "sales billing abroad advance everything any much many more most some one two new old good great nice bank imap smtp pop ssl tls isp "
    "vpn pc tb tbird os bonjour hallo beste answer reply response open file folder folders toolbar "
    "layout explorer directory problem solved message account settings inbox mail server view menu options tools holidays amazing".split()
)
_NOUN = re.compile(
    r"\b(?i:the|an?|my|our|your|this|that|these|those|der|das|dem|eine?|meine?|unsere?|het|een|mijn|une?|mon|ma|mes|mis?) "
    r"(?P<it>[a-zà-öø-ÿ]{3,30})(?!\w)"
)
_ALSO_WORDS = frozenset(
    "will mark may bill rose art max page grant chase drew rob sue pat jack ray dean hope joy faith grace iris ivy june april august "
    "summer dawn eve penny sky frank miles guy rich don les van dan jan els wil mia bob dot chip cliff lance norm tab mac case sol luz "
    "mar paz fin ben bin bas tim die son mai lee young long king white black brown green gray short small wood stone woods field hill "
    "mills bush rivers lane banks price bond cash cook baker smith hunter carter".split()
)


def _person(text: str) -> bool:
    return not any(word.strip(".").lower() in _NOBODY for word in text.split())


GREETED: tuple[Finder, ...] = tuple(rule(pattern, _person) for pattern in _GREETED)
"""Finders of the names that a text greets or thanks."""
_SAYING: tuple[Finder, ...] = tuple(rule(pattern, _person, among=words) for pattern, words in _INTRODUCED)
INTRODUCED: tuple[Finder, ...] = (*_SAYING, *(rule(pattern, _person, among=words) for pattern, words in _IN_PLACE))
"""Finders of the names that a text is signed with, or says."""

_USUAL = (
    "the yours? an? my full same whole only just not in on or and with correct also case part first last alias number phone id this that it its "
    "one what which none all both some something needed required set stored public default shared guest root me you even primary wrong right invalid "
    "empty blank unique usual\\w* e-?mail\\w* address\\w* user\\w* name\\w* pass\\w* log\\w* any\\w* server\\w* provider\\w* account\\w* profile\\w* "
    "admin\\w* \\w+ed \\w+ing x+ [a-z]"
)
_NAME = rf"(?!(?i:{'|'.join(_USUAL.split())})\b)(?P<it>[A-Za-z]"
_CALLED = rf"[\"'“‘]?{_NAME}[\w.-]{{2,40}})"
_OPENERS = (
    "First Second Third Then Now Also Next Last Okay Well Yes Otherwise Instead Again Still Once Afterwards? Perhaps Maybe Please Here There "
    "Thus Therefore However Besides Anyway Alas Sometimes Often Later Before After Below Above Right Alright Sure Fine Note Remember [A-Z]\\w+ly"
)
_DO = "(?:you|please|try|go|click|check|open|select|use|can you|could you|did you|do you|have you|are you)"
_SOMEBODY = (
    rf"(?<![\w.@/])@(?!(?:media|import|namespace|charset|page|supports|keyframes)\b){_NAME}\w{{2,30}})(?!\.?\w|@)",
    rf"(?i:[\\/](?:users|home|benutzer|utilisateurs|usuarios)[\\/]){_CALLED}(?![>\w])",
    rf"(?i:\b{_SIGN_IN}(?: is| was|:| =)) {_CALLED}",
    rf"(?i:\b(?:{_SIGN_IN}|e-?mail address(?:es)?)\b[^.\n]{{0,80}}\b(?:instead of|rather than|and not)(?: just| only)?) {_CALLED}[\"'”’]?[.!]?$",
    rf"^(?i:{GREETING})[ ,]{{1,2}}(?P<it>{CAPITAL}[\w-]{{1,30}}|[^\W_][\w-]{{1,30}}(?=[,!.]))",
    rf"^(?i:{CLOSING})[ ,–—-]{{1,3}}(?P<it>{CAPITAL}[\w-]{{1,30}})\W{{0,3}}$",
    rf"^(?!(?:{'|'.join(_OPENERS.split())})\b)(?P<it>{CAPITAL}[^\W\d_]{{2,20}}), {_DO}\b",
)
_TOLD: tuple[Finder, ...] = (*GREETED, *INTRODUCED, *map(rule, _SOMEBODY))


def somebody(sentence: str) -> set[str]:
    """Whom a sentence of a solved case names: by name, handle or user name, or by the folder that has one; what redaction let through."""
    return named(sentence, _TOLD)


def named(text: str, finders: Collection[Finder]) -> set[str]:
    """The names that these finders find."""
    traits = Traits.of(text)
    return {text[start:end] for finder in finders if may(finder, traits) for start, end in finder(text)}


def of_thread(conversation: Conversation) -> list[str]:
    """Whom a thread names as its people, for redaction wherever they stand: by its fields, and by what its messages say as they were received."""
    names, left = [conversation.customer.name or ""], LEARNT_CHARS
    names += sorted(named(plain(normalise(conversation.subject)), _SAYING))
    for message in reversed(conversation.messages):
        text = plain(normalise(message.text[: max(0, left)]))
        left -= len(text)
        names += sorted(named(text, (*GREETED, *_SAYING) if message.author == "agent" else _SAYING))
    return list(dict.fromkeys(_capital(name) for name in names if name))[:LEARNT]


def _capital(name: str) -> str:
    return name.title() if name.islower() and " " in name else name


def above(text: str, places: Collection[int]) -> Iterator[tuple[int, int]]:
    """The names that stand right before these places, where addresses begin."""
    for place in places:
        found = _ABOVE.search(text, max(0, place - 90), place)
        if found and _person(found["it"]):
            yield found.span("it")


def given(names: Collection[str], text: str, traits: Traits) -> Finder:
    """A finder of these names and their parts in this text, in any case; of one that is also a word, only where a name would stand.

    Names that are not there are left out first: to make a pattern of them takes longer than all the rest, and each ticket has others.
    """
    parts = {part for name in names for part in _parts(plain(name)) if Traits.of(part).low in traits.low}
    words_too = _ALSO_WORDS | {found["it"] for found in _NOUN.finditer(text)} if parts else _ALSO_WORDS
    sure = sorted((p for p in parts if p.lower() not in words_too), key=lambda p: (-len(p), p))
    either = []
    if sure:
        known = "|".join(map(re.escape, sure))
        either = [rf"(?m:(?<=^)(?:{known})(?: {_OF}{_WORD}){{1,2}}$)", rf"(?i:{known})(?!\w)"]
    if words := "|".join(sorted({p.capitalize() for p in parts if p.lower() in words_too})):
        either.append(rf"(?:(?<=[a-z,] )(?:{words})(?!\w| \d)|(?:{words})(?=[,.!?\n]|['’]s|\Z))")
    return rule(rf"(?<![\w>])(?:{'|'.join(either)})") if either else lambda text: iter(())


def _parts(name: str) -> Iterator[str]:
    name = " ".join(name[:200].split())
    words = re.findall(r"[^\W_][\w'’-]*[^\W_]", name)
    if not any(word.lower() in _NOBODY for word in words):
        yield from (name,) if len(name) > 2 else ()
        yield from (w for w in words if len(w) > 2 and (w[0].isupper() or len(words) == 1) and w.lower() not in _OF)
