"""What no text says, in every language: each kind of it is found, and no text that a resident may read has any."""

import re
from dataclasses import replace
from datetime import date
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from bot.languages import CODES
from bot.wording import Catalogue, catalogue_files, read_catalogue
from knowledge import files, record_files
from knowledge.checking import MONEY, PHONE
from knowledge.entry import KEPT
from knowledge.filling import fill, placeholders
from knowledge.forbidden import FORBIDDEN, forbidden_in
from knowledge.leftovers import texts_of
from tests.starter import starter

CATALOGUE = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "Comune di Prato", "service": "Sportello"})
TODAY = date(2026, 11, 23)
ENTRIES = starter()
RECORDS, _ = record_files.read_records(files.STARTER)
# A sum of six digits looks like a number to call.
WITHOUT_SUMS = replace(RECORDS, amounts={})

# Promised; expelled; what you are; no risk; confront; hide; false papers; wait; tell us who you are.
SAID = {
    "it": (
        "Così avrai il permesso.",
        "Non sarai espulso.",
        "Sei regolare.",
        "Non rischi niente.",
        "Tratta con il capo.",
        "Nasconditi da un amico.",
        "Usa un indirizzo falso.",
        "Aspetta e vedi.",
        "Mandaci una foto del permesso.",
    ),
    "en": (
        "You will get the permit.",
        "You won’t be deported.",
        "You are illegal.",
        "There is no risk.",
        "Negotiate with your boss.",
        "Hide from the police.",
        "Use a false address.",
        "Wait and see.",
        "Send us a photo of it.",
    ),
    "fr": (
        "Vous obtiendrez le permis.",
        "Vous ne serez pas expulsé.",
        "Vous êtes en situation irrégulière.",
        "Il n'y a aucun risque.",
        "Négociez avec le patron.",
        "Cachez-vous chez un ami.",
        "Donnez une fausse adresse.",
        "Attendez que ça passe.",
        "Envoyez-nous une photo.",
    ),
    "es": (
        "Obtendrá el permiso.",
        "No será expulsado.",
        "Usted es irregular.",
        "No hay riesgo.",
        "Negocie con el jefe.",
        "Escóndase en casa.",
        "Declare una dirección falsa.",
        "Espere a ver.",
        "Envíenos su pasaporte.",
    ),
    "ro": (
        "Veți primi sigur permisul.",
        "Nu veți fi expulzat.",
        "Sunteți ilegal.",
        "Nu există niciun risc.",
        "Negociați cu patronul.",
        "Ascundeți-vă.",
        "Declarați o adresă falsă.",
        "Așteptați să treacă.",
        "Trimiteți-ne o poză.",
    ),
    "sq": (
        "Do ta merrni lejen.",
        "Nuk do të dëboheni.",
        "Jeni i paligjshëm.",
        "Nuk ka asnjë rrezik.",
        "Negocioni me shefin.",
        "Fshihuni te një mik.",
        "Jepni një adresë të rreme.",
        "Prisni derisa të kalojë.",
        "Na dërgoni një foto.",
    ),
    "uk": (
        "Ви обов’язково отримаєте дозвіл.",
        "Вас не депортують.",
        "Ви нелегально тут.",
        "Немає жодного ризику.",
        "Домовляйтеся з кривдником.",
        "Сховайтеся у друзів.",
        "Вкажіть фальшиву адресу.",
        "Зачекайте, поки минеться.",
        "Надішліть нам фото.",
    ),
    "zh": (
        "您一定会拿到居留。",
        "您不会被遣返。",
        "您是黑户。",
        "没有任何风险。",
        "去找他理论。",
        "先躲起来。",
        "可以写假地址。",
        "先等等看。",
        "告诉我们您的姓名。",
    ),
    "ur": (
        "آپ کو ضرور ملے گا۔",
        "آپ کو ملک بدر نہیں کیا جائے گا۔",
        "آپ غیر قانونی ہیں۔",
        "کوئی خطرہ نہیں ہے۔",
        "مالک سے سمجھوتہ کریں۔",
        "دوست کے گھر چھپ جائیں۔",
        "جھوٹا پتہ لکھوائیں۔",
        "انتظار کریں اور دیکھیں۔",
        "ہمیں اپنا پاسپورٹ بھیجیں۔",
    ),
    "bn": (
        "আপনি অবশ্যই পাবেন।",
        "আপনাকে বহিষ্কার করবে না।",
        "আপনি অবৈধ।",
        "কোনো ঝুঁকি নেই।",
        "মালিকের সঙ্গে আপস করুন।",
        "লুকিয়ে থাকুন।",
        "ভুয়া ঠিকানা লিখুন।",
        "অপেক্ষা করে দেখুন।",
        "আমাদের আপনার পাসপোর্টের ছবি পাঠান।",
    ),
    "pa": (
        "ਤੁਹਾਨੂੰ ਜ਼ਰੂਰ ਮਿਲੇਗਾ।",
        "ਤੁਹਾਨੂੰ ਡਿਪੋਰਟ ਨਹੀਂ ਕਰਨਗੇ।",
        "ਤੁਸੀਂ ਗ਼ੈਰ-ਕਾਨੂੰਨੀ ਹੋ।",
        "ਕੋਈ ਖ਼ਤਰਾ ਨਹੀਂ।",
        "ਮਾਲਕ ਨਾਲ ਸਮਝੌਤਾ ਕਰੋ।",
        "ਦੋਸਤ ਦੇ ਘਰ ਲੁਕ ਜਾਓ।",
        "ਝੂਠਾ ਪਤਾ ਦਿਓ।",
        "ਉਡੀਕ ਕਰ ਕੇ ਵੇਖੋ।",
        "ਸਾਨੂੰ ਆਪਣਾ ਪਾਸਪੋਰਟ ਭੇਜੋ।",
    ),
    "ar": (
        "ستحصلون بالتأكيد على التصريح.",
        "لن يتم ترحيلكم.",
        "أنتم في أمان.",
        "لا يوجد أي خطر.",
        "تفاوضوا مع صاحب العمل.",
        "اختبئوا عند صديق.",
        "اكتبوا عنوانًا مزورًا.",
        "انتظروا حتى يزول.",
        "أرسلوا لنا صورة.",
    ),
}
KINDS = ("promise", "expulsion", "judgement", "no risk", "confronting", "hiding", "false papers", "waiting", "asking")
# The numbers of section 3.1 of the facts, and those of offices in section 1.3; nothing else may be called.
NUMBERS = frozenset(
    {"112", "116117", "1522", "114", "19696", "116000", "057434472", "800290290", "800600500", "05741586530"}
    | {"3313660387", "3669332876", "800905570", "3511376335", "800901010", "05741835420", "800242525"}
    | {"05741836431", "05741835060", "800922912", "057434047", "055545454", "800888333", "199105105", "05711969333"}
)
# Numbers that the facts have from memory only, "verify before publishing": kept for the staff, and in no text.
UNPUBLISHED = frozenset({"0223272327"})


def test_every_language_has_every_kind() -> None:
    assert set(SAID) == set(FORBIDDEN) == set(KEPT)
    assert {len(sentences) for sentences in SAID.values()} == {len(KINDS)}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        pytest.param(code, sentence, id=f"{code} {kind}")
        for code, sentences in SAID.items()
        for kind, sentence in zip(KINDS, sentences, strict=True)
    ],
)
def test_each_kind_is_found_in_each_language(code: str, sentence: str) -> None:
    assert list(forbidden_in(sentence, code)), sentence


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("it", "Non usare un indirizzo falso: non torna da lui."),
        ("en", "Do not use a false address, and do not hide from help you may ask for."),
        ("es", "No compre un contrato falso y no vuelva con él."),
        ("uk", "Не вказуйте фальшиву адресу."),
        ("zh", "不要写假地址，也不要躲起来。"),
    ],
)
def test_a_warning_is_no_advice(code: str, sentence: str) -> None:
    assert list(forbidden_in(sentence, code)) == []


@pytest.mark.parametrize("code", CODES)
def test_no_text_of_the_bot_or_its_pages_says_it_or_has_a_typed_sum_or_number(code: str) -> None:
    for path in catalogue_files(code):
        for message in read_catalogue(path):
            forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
            for text in map(str, forms if message.id else ()):
                assert list(forbidden_in(text, code)) == [], (path.name, message.id)
                # 112 is the law of the Union and no fact of Prato; a date shows how dates are typed.
                typed = [found[0] for found in PHONE.finditer(text) if found[0] not in {"112", "2026-11-23"}]
                assert (typed, MONEY.search(text)) == ([], None), (path.name, message.id)


def digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def test_records_hold_no_number_that_the_facts_do_not_have() -> None:
    assert {digits(phone) for contact in RECORDS.contacts.values() for phone in contact.phones} <= NUMBERS | UNPUBLISHED
    for contact in RECORDS.contacts.values():
        assert not PHONE.search(f"{contact.name.replace('1522', '')} {contact.address}".replace("114", "")), contact.id


@pytest.mark.parametrize("code", KEPT)
def test_every_number_in_a_text_as_it_is_read_is_on_the_list(code: str) -> None:
    """Filled in: a number that a record has, or that slipped into a text, is found in the same way."""
    named = set()
    for entry in ENTRIES:
        for text in texts_of(entry.translations[code]).values():
            named |= set(placeholders(text))
            told = fill(text, code, WITHOUT_SUMS, TODAY, CATALOGUE)
            for found in PHONE.finditer(re.sub(r"[\u2066-\u2069]", "|", told)):
                assert digits(found[0]) in NUMBERS, (entry.slug, found[0])
    phones = chain.from_iterable(RECORDS.contacts[name].phones for kind, name in named if kind in {"phone", "contact"})
    assert UNPUBLISHED.isdisjoint(map(digits, phones))
