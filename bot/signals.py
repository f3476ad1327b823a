"""What is recognised in a message before any topic: danger, and small talk."""

from enum import StrEnum


class Danger(StrEnum):
    """The kinds of emergency that are recognised before any topic."""

    VIOLENCE = "emergency-violence"
    UNPAID_THREAT = "emergency-unpaid-threat"
    PASSPORT_TAKEN = "emergency-passport-taken"
    TRAFFICKING = "emergency-trafficking"
    SUICIDE = "emergency-suicide"
    ACCIDENT = "emergency-accident"
    MEDICAL = "emergency-medical"
    CHILD = "emergency-child"
    FIRE = "emergency-fire"
    HOMELESS_TONIGHT = "emergency-homeless-tonight"


class Talk(StrEnum):
    """Small talk, and the wish for a person in any wording."""

    GREETING = "greeting"
    THANKS = "thanks"
    ROBOT = "robot"
    INSULT = "insult"
    ADVERT = "advert"
    PERSON = "person"
