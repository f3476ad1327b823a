"""What the fake of WhatsApp's Cloud API takes, and how it says no."""

from typing import Any

from starlette.responses import JSONResponse


class RefusedError(Exception):
    """A call that ends with an error of the API."""

    def __init__(self, code: int, details: str, status: int = 400) -> None:
        super().__init__(details)
        self.response = JSONResponse(
            {
                "error": {
                    "message": f"(#{code}) {details}",
                    "type": "OAuthException",
                    "code": code,
                    "error_data": {"messaging_product": "whatsapp", "details": details},
                    "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
                }
            },
            status,
        )


def interactive(said: dict[str, Any]) -> tuple[str, str, tuple[tuple[str, str, str], ...], str]:
    """Read buttons or a list as strictly as the platform does."""
    text, action = within(said["body"]["text"], 1, 1024, "Param interactive['body']['text']"), said["action"]
    if said["type"] == "button":
        replies = [button["reply"] for button in action["buttons"]]
        if not 1 <= len(replies) <= 3:
            raise RefusedError(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
        titles = [within(reply["title"], 1, 20, "Button title") for reply in replies]
        if len(set(titles)) < len(titles):
            raise RefusedError(131009, "Button titles must be unique")
        choices = [(within(reply["id"], 1, 256, "Button id"), reply["title"], "") for reply in replies]
    else:
        within(action["button"], 1, 20, "List button")
        rows = [row for section in action["sections"] for row in section["rows"]]
        if not 1 <= len(rows) <= 10:
            raise RefusedError(131009, "Total row count exceed max allowed count: 10")
        choices = [
            (
                within(row["id"], 1, 200, "Row id"),
                within(row["title"], 1, 24, "Row title"),
                within(row.get("description", ""), 0, 72, "Row description"),
            )
            for row in rows
        ]
    if len({choice[0] for choice in choices}) < len(choices):
        raise RefusedError(131009, "Duplicated id")
    return said["type"], text, tuple(choices), ""


def within(text: str, least: int, most: int, name: str) -> str:
    """Check a length in characters, whichever: the strictest is UTF-16 units."""
    if len(text.strip()) < least:
        raise RefusedError(100, f"{name} is required")
    if len(text.encode("utf-16-le")) // 2 > most:
        raise RefusedError(100, f"{name} must be at most {most} characters long.")
    return text
