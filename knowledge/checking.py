"""Whether entries are good enough for residents: complete, short, plain, alike in all languages, and careful.

What an import demands is less, and stands in `knowledge.files`: an editor may publish what is found here.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.languages import CODES
from bot.topics import LISTED_AT_MOST, SECTIONS
from knowledge.entry import ANSWER_MAX, QUESTION_MAX, REVIEWED, SOURCE, Entry, Translation, stale
from knowledge.files import normalised
from knowledge.filling import PLACEHOLDER, known, placeholders
from knowledge.forbidden import forbidden_in
from knowledge.leftovers import Words, known_words, left_over, texts_of
from knowledge.records import Records
from knowledge.scripts import script_of

WORDS_MAX: Final = 120
SENTENCE_WORDS_MAX: Final = 16
PHRASES_LEAST: Final = 9
ROMANISED_LEAST: Final = 4
NATIVE_LEAST: Final = 5
# The script of each language; Latin where none is named.
SCRIPTS: Final = {"zh": "Hani", "ur": "Arab", "ar": "Arab", "bn": "Beng", "pa": "Guru", "uk": "Cyrl"}
# Languages that are typed in Latin letters about as often as in their own.
ROMANISED: Final = frozenset({"ur", "bn", "pa", "ar"})
# Punjabi is also written in Arabic letters.
_OTHER_SCRIPTS: Final = {"pa": frozenset({"Arab"})}
_LATIN: Final = "Latn"
_CHARACTERS_A_WORD: Final = 1.6
_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_SENTENCE_END: Final = re.compile(r"[.!?:;。！？：；؟؛۔।…]+(?:\s|$)|[。！？：；]|\n")
_ITEM: Final = "- "
# Six digits or more together, also with a stroke after a town's code, and the short numbers of emergencies where no
# article or law is meant.
PHONE: Final = re.compile(
    r"(?<![\d/.,])(?:\+?\d(?:[ .\-]?\d){5,}|0\d{1,3}\s?/\s?\d{4,}|112|113|114|115|118|1522|19696|116117|116000)"
    r"(?![\d/]|[.,]\d)"
)
MONEY: Final = re.compile(
    r"€|\d\s*(?:(?:eur|euros?|eurove)\b|евро|євро|欧|یورو|يورو|أورو|اورو|ইউরো|ਯੂਰੋ)|\b(?:eur|euros?)\s*\d",
    re.IGNORECASE,
)
# A year beside a sum or a date that somebody corrects once for all languages: it would stay behind.
_YEAR: Final = re.compile(
    r"(?<!\d)20\d\d(?!\d)[^\n]*\{(?:amount|window):|\{(?:amount|window):[^\n]*(?<!\d)20\d\d(?!\d)"
)
_LINK: Final = re.compile(r"http://|(?<!https://)\bwww\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not good enough; `language` is empty for an entry's facts, `slug` for a whole language."""

    slug: str
    language: str
    field: str
    message: str

    def __str__(self) -> str:
        """Tell it in one line."""
        return f"{'/'.join(filter(None, (self.slug, self.language)))}: {self.field}: {self.message}"


def check(entries: Sequence[Entry], records: Records, *, today: date, codes: Sequence[str] = CODES) -> list[Finding]:
    """Give everything that is not good enough, entry by entry, then language by language."""
    found: list[Finding] = []
    known_by_language = known_words(entries)
    for entry in entries:
        found += _facts(entry, today)
        for code in codes:
            if code not in entry.translations:
                found.append(Finding(entry.slug, code, "file", "is missing"))
        for translation in entry.translations.values():
            told = _translation(entry, translation, records, known_by_language)
            found += (Finding(entry.slug, translation.language, field, message) for field, message in told)
    return [*found, *_long_sections(entries), *_shared_phrases(entries), *_long_sentences(entries)]


def _long_sections(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find parts of a group that are too long to choose from on a telephone."""
    sizes = Counter((entry.group, entry.section) for entry in entries)
    for (group, section), size in sizes.items():
        if size > LISTED_AT_MOST and (section or not SECTIONS[group]):
            yield Finding(
                "/".join(filter(None, (group, section))),
                "",
                "section",
                f"has {size} entries, more than {LISTED_AT_MOST}",
            )


def _facts(entry: Entry, today: date) -> Iterator[Finding]:
    if entry.review_by < today:
        yield Finding(entry.slug, "", "review_by", f"{entry.review_by} is past: the facts are due for review")
    if SECTIONS[entry.group] and not entry.section:
        yield Finding(entry.slug, "", "section", f"is missing: one of {', '.join(SECTIONS[entry.group])}")
    for place, source in enumerate(entry.sources, 1):
        if source.url and not source.url.startswith("https://"):
            yield Finding(entry.slug, "", f"sources[{place}].url", "must begin with https://")


def _translation(
    entry: Entry, translation: Translation, records: Records, known_by_language: Words
) -> Iterator[tuple[str, str]]:
    code = translation.language
    italian = entry.translations.get(SOURCE)
    if len(translation.question) > QUESTION_MAX:
        yield "question", f"has {len(translation.question)} characters, more than {QUESTION_MAX}"
    for facet in entry.facets:
        if facet not in translation.cases:
            yield f"cases.{facet}", "is missing"
    for facet in translation.cases:
        if facet not in entry.facets:
            yield f"cases.{facet}", "is no case of this entry"
    if translation.state == REVIEWED and translation.reading is None:
        yield "state", f"is {REVIEWED!r}, and reviewed_by and reviewed_on do not say by whom and when"
    if stale(translation, italian):
        yield "made_from", "is older than the Italian"
    originals = {} if italian is None or translation is italian else _answers(italian)
    for field, text in _answers(translation).items():
        yield from ((field, message) for message in _answer(text, code, records))
        if field in originals:
            yield from ((field, message) for message in _unlike(text, originals[field]))
    for field, text in texts_of(translation).items():
        yield from ((field, f"must not say {said!r}") for said in forbidden_in(text, code))
        yield from ((field, message) for message in left_over(text, code, known_by_language))
    yield from _phrases(translation)


def _answers(translation: Translation) -> dict[str, str]:
    """Give the answers by the name of their field."""
    return {"answer": translation.answer} | {
        f"cases.{facet}.answer": case.answer for facet, case in translation.cases.items()
    }


def _answer(text: str, code: str, records: Records) -> Iterator[str]:
    """Look at an answer by itself."""
    plain = PLACEHOLDER.sub(" ", text)
    if len(text) > ANSWER_MAX:
        yield f"has {len(text)} characters, more than {ANSWER_MAX}"
    if (words := count_words(plain)) > WORDS_MAX:
        yield f"has {words} words, more than {WORDS_MAX}"
    for kind, name in placeholders(text):
        if not known(kind, name, records):
            yield f"{{{kind}:{name}}} is not among the records"
    if "{" in plain or "}" in plain:
        yield "has a brace that belongs to no placeholder"
    if script_of(plain) not in {SCRIPTS.get(code, _LATIN), None}:
        yield f"is written in {script_of(plain)}"
    for name, pattern in (("phone number", PHONE), ("amount of money", MONEY)):
        if match := pattern.search(plain):
            yield f"has a typed {name}, {match[0]!r}: use a placeholder"
    if _YEAR.search(text):
        yield "has a typed year beside an amount or a window: use {year:...}, or leave it to the date"
    if _LINK.search(text):
        yield "has a link that does not begin with https://"


def _unlike(text: str, italian: str) -> Iterator[str]:
    """Compare an answer with the Italian one."""
    mine, theirs = Counter(placeholders(text)), Counter(placeholders(italian))
    for (kind, name), count in ((theirs - mine) + (mine - theirs)).items():
        yield f"{{{kind}:{name}}} stands {count} times {'less' if theirs[kind, name] > mine[kind, name] else 'more'}"
    if (lines := _items(text)) != (wanted := _items(italian)):
        yield f"has {lines} lines of a list, and the Italian {wanted}"


def _items(text: str) -> int:
    return sum(line.startswith(_ITEM) for line in text.splitlines())


def _phrases(translation: Translation) -> Iterator[tuple[str, str]]:
    code, phrases = translation.language, translation.phrases
    if len(phrases) < PHRASES_LEAST:
        yield "phrases", f"are {len(phrases)}, fewer than {PHRASES_LEAST}"
    own = SCRIPTS.get(code, _LATIN)
    scripts = [script_of(phrase) for phrase in phrases]
    if (native := scripts.count(own)) < NATIVE_LEAST:
        yield "phrases", f"hold {native} in the script of the language, fewer than {NATIVE_LEAST}"
    if code in ROMANISED and (romanised := scripts.count(_LATIN)) < ROMANISED_LEAST:
        yield "phrases", f"hold {romanised} in Latin letters, fewer than {ROMANISED_LEAST}"
    allowed = {own, _LATIN, None} | _OTHER_SCRIPTS.get(code, frozenset())
    for place, script in enumerate(scripts, 1):
        if script not in allowed:
            yield f"phrases[{place}]", f"is written in {script}"


def _shared_phrases(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find questions and phrases that stand in two entries: one of them would never be found by its own words."""
    owners: dict[str, tuple[str, str]] = {}
    for entry in entries:
        for code, translation in entry.translations.items():
            for field, text in (
                ("question", translation.question),
                *(("phrases", each) for each in translation.phrases),
            ):
                slug, other = owners.setdefault(normalised(text), (entry.slug, code))
                if slug != entry.slug:
                    yield Finding(entry.slug, code, field, f"{text!r} stands in {slug}/{other} too")


def _long_sentences(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find languages whose sentences are long on average; lines of lists are no sentences."""
    lengths: Mapping[str, list[int]] = defaultdict(list)
    for entry in entries:
        for code, translation in entry.translations.items():
            for text in _answers(translation).values():
                lengths[code] += sentence_lengths(text)
    for code, counted in lengths.items():
        average = sum(counted) / len(counted) if counted else 0.0
        if average > SENTENCE_WORDS_MAX:
            yield Finding("", code, "answers", f"have {average:.1f} words a sentence, more than {SENTENCE_WORDS_MAX}")


def sentence_lengths(text: str) -> list[int]:
    """Give the words of each sentence of an answer."""
    prose = "\n".join(line for line in PLACEHOLDER.sub(" ", text).splitlines() if not line.startswith(_ITEM))
    return [words for part in _SENTENCE_END.split(prose) if (words := count_words(part))]


def count_words(text: str) -> int:
    """Count words; of Chinese, 1.6 characters are one."""
    characters = len(_HAN.findall(text))
    others = sum(any(map(str.isalnum, word)) for word in _HAN.sub(" ", text).split())
    return round(characters / _CHARACTERS_A_WORD) + others
