"""What forms send. Pure."""


def typed(text: str) -> str:
    """Give a text as it was typed: a browser counts a line break as one character, and sends it as two."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
