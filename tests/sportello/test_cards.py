"""Every emergency card in every language: the right numbers, nothing promised, nothing that could harm."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.actions import EmergencyCard
from bot.languages import CODES
from bot.signals import Danger
from bot.wording import Catalogue, catalogue_files, read_catalogue
from channels.adapter import Capabilities, Outbound
from channels.rendering import measure, render
from channels.telegram import CHAT_INTERVAL, TEXT_MAX
from knowledge import files, record_files
from knowledge.checking import Finding
from knowledge.records import Contact, Records
from sportello import cards, commands
from sportello.cards import CALLED, EMERGENCY, fault_of, lines_for

CATALOGUE = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "Comune di Prato", "service": "Sportello"})
RECORDS, _ = record_files.read_records(files.STARTER)
TELEGRAM = Capabilities(
    text_max=TEXT_MAX, unit="utf-16", choices_max=100, chat_interval=CHAT_INTERVAL, account_interval=CHAT_INTERVAL
)
VERIFIED = {
    Danger.VIOLENCE: ["112", "1522", "0574 34472"],
    Danger.UNPAID_THREAT: ["112", "800 290 290", "0574 1586530"],
    Danger.PASSPORT_TAKEN: ["112", "800 290 290", "800 600 500"],
    Danger.TRAFFICKING: ["112", "800 290 290", "800 600 500"],
    Danger.SUICIDE: ["112"],
    Danger.ACCIDENT: ["112"],
    Danger.MEDICAL: ["112"],
    Danger.CHILD: ["112", "114", "19696"],
    Danger.FIRE: ["112"],
    Danger.HOMELESS_TONIGHT: ["112", "800 922 912"],
}
# Promises, diagnoses, "no risk", permits, expulsion, consulates, negotiating, operators who may not be there.
FORBIDDEN = {
    "it": "permesso|espuls|regolar|garant|promett|risch|sicur|consolat|operator|diagnos|ambasciat|convinc|tratta con",
    "en": "permit|expel|regular|guarantee|promise|risk|safe|consulate|embassy|operator|diagnos|negotiat|confront",
    "zh": "居留|驱逐|合法|保证|承诺|风险|安全|领事|使馆|客服|诊断|谈判|对质",
    "ur": "اجازت نامہ|پرمٹ|ملک بدر|قانونی|ضمانت|وعدہ|رسک|محفوظ|قونصل|سفارت|آپریٹر|تشخیص|سمجھوتہ",
    "pa": "ਪਰਮਿਟ|ਪਰਮੈਸੋ|ਦੇਸ਼ ਨਿਕਾਲ|ਡਿਪੋਰਟ|ਗਾਰੰਟੀ|ਵਾਅਦਾ|ਖ਼ਤਰਾ ਨਹੀਂ|ਸੁਰੱਖਿਅਤ|ਦੂਤਾਵਾਸ|ਕੌਂਸਲ|ਓਪਰੇਟਰ|ਆਪਰੇਟਰ|ਸਮਝੌਤਾ",
    "ar": "الإقامة|ترحيل|طرد|قانوني|نضمن|ضمان|وعد|لا خطر|مخاطر|آمن|قنصلية|سفارة|موظف|تشخيص|تفاوض|واجه",
    "sq": "leje|dëbo|garant|premt|pa rrezik|rrezik nuk|sigurt|konsullat|ambasad|operator|diagno|negocio|përballu",
    "ro": "permis|expulz|garan|promi|risc|siguranț|consulat|ambasad|operator|diagno|negoci|confrunt",
    "fr": "séjour|expuls|régular|garant|prome[ts]|risque|sécurité|consulat|ambassade|opérat|diagnos|négoci|affront",
    "es": "residencia|expuls|regular|garant|promet|riesgo|seguridad|consulado|embajada|operador|diagn|negoci|enfrent",
    "uk": "дозвіл на|вислан|депорт|легал|гарант|обіця|ризик|безпе[кч]н|консул|посольств|оператор|діагно|переговор",
    "bn": "পারমিট|অনুমতিপত্র|বহিষ্কার|বৈধ|নিশ্চয়তা|প্রতিশ্রুতি|ঝুঁকি|নিরাপদ|দূতাবাস|কনস্যুলেট|অপারেটর|রোগনির্ণয়|মীমাংসা",
}


def emergency_card(
    catalogue: Catalogue, part: EmergencyCard, code: str, contacts: Mapping[str, Contact] = RECORDS.contacts
) -> dict[str, Any]:
    """Give a card with the starter's contacts, or others."""
    return cards.emergency_card(catalogue, part, code, contacts)


ALL = [(danger, code) for danger in Danger for code in CODES]


@pytest.mark.parametrize(("danger", "code"), ALL)
def test_a_card_has_its_verified_numbers_and_the_local_language_beneath(danger: Danger, code: str) -> None:
    card = emergency_card(CATALOGUE, EmergencyCard(danger), code)
    assert [number["phone"] for number in card["numbers"]] == VERIFIED[danger]
    assert len(card["numbers"]) <= 3
    assert len(card["words"]) == 2
    verified = {digits(phone) for phones in VERIFIED.values() for phone in phones}
    assert {digits(found) for found in re.findall(r"\d[\d ]*", card["text"])} <= verified
    local = emergency_card(CATALOGUE, EmergencyCard(danger), "it")["words"]
    if code == "it":
        assert (card["local"], card["say"], card["notes"]) == ([], "", [])
    else:
        assert card["local"] == local
        assert card["say"].startswith("Ho bisogno di aiuto. Parlo ")
        assert len(card["notes"]) == 1
        assert "112" in card["notes"][0]
    assert all(words in card["text"] for words in (*card["words"], *card["notes"], card["say"], *card["local"]))
    assert "{" not in card["text"]
    assert "danger." not in card["text"]


@pytest.mark.parametrize(("danger", "code"), ALL)
def test_a_gentle_card_is_one_line_with_the_numbers(danger: Danger, code: str) -> None:
    card = emergency_card(CATALOGUE, EmergencyCard(danger, gentle=True), code)
    assert len(card["words"]) == 1
    assert [number["phone"] for number in card["numbers"]] == VERIFIED[danger]
    assert (card["notes"], card["say"], card["local"], card["leave"]) == ([], "", [], False)


@pytest.mark.parametrize("code", CODES)
def test_no_text_of_a_card_has_digits_of_its_own_or_says_what_must_not_be_said(code: str) -> None:
    (path,) = [path for path in catalogue_files(code) if path.name == "danger.po"]
    for message in read_catalogue(path):
        if message.id:
            assert not re.search(r"\d", str(message.string)), message.id
            assert not re.search(FORBIDDEN[code], str(message.string), re.IGNORECASE), message.id


@pytest.mark.parametrize(
    ("danger", "code", "told", "said"),
    [
        (Danger.VIOLENCE, "ur", "\u20681522\u2069 پر \u2068اردو\u2069 نہیں بولی جاتی", "Parlo \u2068urdu\u2069."),
        (Danger.VIOLENCE, "zh", "\u20681522\u2069 不说\u2068中文\u2069", "Parlo \u2068cinese\u2069."),
        (Danger.VIOLENCE, "en", "can find an interpreter", "Parlo \u2068inglese\u2069."),
        (Danger.UNPAID_THREAT, "en", "At \u20680574 1586530\u2069 they do not speak \u2068English\u2069", "inglese"),
        (Danger.UNPAID_THREAT, "bn", "\u20680574 1586530\u2069 নম্বরে \u2068বাংলা\u2069 বলা হয় না", "bengalese"),
    ],
)
def test_what_a_line_does_not_speak_is_said(danger: Danger, code: str, told: str, said: str) -> None:
    card = emergency_card(CATALOGUE, EmergencyCard(danger), code)
    assert told in card["notes"][0]
    assert said in card["say"]


def test_a_line_that_speaks_the_language_is_not_said_to_lack_it() -> None:
    for code in ("ur", "zh"):
        note = emergency_card(CATALOGUE, EmergencyCard(Danger.UNPAID_THREAT), code)["notes"][0]
        assert "0574" not in note


def test_a_page_may_have_to_be_left_quickly() -> None:
    leave = {danger for danger in Danger if emergency_card(CATALOGUE, EmergencyCard(danger), "en")["leave"]}
    assert leave == {Danger.VIOLENCE, Danger.TRAFFICKING, Danger.CHILD}


@pytest.mark.parametrize(("danger", "code"), ALL)
def test_a_card_is_one_message_on_a_platform(danger: Danger, code: str) -> None:
    text = emergency_card(CATALOGUE, EmergencyCard(danger), code)["text"]
    (message,) = render(Outbound(code, (text,)), TELEGRAM)
    assert measure(message.text, "utf-16") <= TELEGRAM.text_max // 2


BROKEN = {
    "no record at all": {},
    "none has a number": {name: replace(contact, phones=()) for name, contact in RECORDS.contacts.items()},
    "another number under 112": {"emergency-112": replace(RECORDS.contacts["emergency-112"], phones=("0574 1",))},
}


@pytest.mark.parametrize("contacts", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("danger", "code"), ALL)
def test_a_card_never_loses_the_emergency_number_nor_a_word(
    danger: Danger, code: str, contacts: Mapping[str, Contact]
) -> None:
    card = emergency_card(CATALOGUE, EmergencyCard(danger), code, contacts)
    phones = [number["phone"] for number in card["numbers"]]
    assert phones[0] == "112"
    assert phones == [phone for phone in VERIFIED[danger] if phone in phones]
    whole = emergency_card(CATALOGUE, EmergencyCard(danger), code)
    assert card["words"] == whole["words"], "no sentence has a hole, or another number"
    assert "112" in emergency_card(CATALOGUE, EmergencyCard(danger, gentle=True), code, contacts)["text"]


def test_what_stands_in_the_program_is_what_the_records_say() -> None:
    for danger in Danger:
        least = {line.id: line for line in lines_for(danger, {})}
        for line in lines_for(danger, RECORDS.contacts):
            assert least.get(line.id, line) == line


def test_a_corrected_contact_is_on_the_card_in_every_language() -> None:
    corrected = replace(RECORDS.contacts["satis"], phones=("800 1", "800 2"), name="SATIS nuovo", languages=("it",))
    contacts = {**RECORDS.contacts, "satis": corrected}
    for code in CODES:
        card = emergency_card(CATALOGUE, EmergencyCard(Danger.TRAFFICKING), code, contacts)
        assert (card["numbers"][2]["phone"], card["numbers"][2]["name"]) == ("800 1", "SATIS nuovo")
        assert "800 600 500" not in card["text"]
        assert code == "it" or "800 1" in card["notes"][0], "it is said that it speaks Italian only"


def test_a_contact_that_a_card_shows_must_keep_a_number() -> None:
    assert set(RECORDS.contacts) >= CALLED
    for name, contact in RECORDS.contacts.items():
        assert fault_of(contact) is None
        fault = fault_of(replace(contact, phones=()))
        assert (fault is not None) is (name in CALLED)
    emergency = RECORDS.contacts[EMERGENCY.id]
    assert fault_of(replace(emergency, phones=("113", "112"))) == "editing.record.fault.emergency"
    assert fault_of(next(iter(RECORDS.amounts.values()))) is None


def test_the_check_of_files_finds_a_contact_that_a_card_misses(tmp_path: Path) -> None:
    contacts = {name: contact for name, contact in RECORDS.contacts.items() if name != "satis"}
    records = Records({**contacts, "la-nara": replace(contacts["la-nara"], phones=())}, {}, {})
    record_files.write_records(records, tmp_path)
    found = commands.check_knowledge(tmp_path, date(2026, 11, 23)).findings
    assert [str(finding) for finding in found] == [
        "records: la-nara: must have its number, which an emergency card shows",
        "records: satis: is missing, and an emergency card shows its number",
    ]
    assert isinstance(found[0], Finding)
    assert cards.findings(Records()) == [], "a folder of entries alone misses none"


def digits(phone: str) -> str:
    return re.sub(r"\s", "", phone)
