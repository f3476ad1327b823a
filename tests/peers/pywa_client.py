"""The client's side of `whatsapp_peers`: runs where pywa is installed, and needs nothing else of this repository."""

import json
import sys
import warnings
from typing import Any

import httpx
from pywa import WhatsApp, handlers, types
from pywa.errors import ReEngagementMessage, TemplateNotExists, WhatsAppError

warnings.simplefilter("ignore")


def main() -> None:
    """Send, be refused, fetch a medium, and read calls."""
    url, told = sys.argv[1], json.loads(sys.argv[2])
    session = httpx.Client()
    wa = WhatsApp(
        phone_id=told["phone"],
        token=told["token"],
        session=session,
        server=None,
        verify_token="a-word",
        app_secret=told["secret"],
        api_version="24.0",
    )
    session.base_url = f"{url}/v24.0"
    assert wa.send_message(told["open"], "ciao").id.startswith("wamid.")
    wa.send_message(told["open"], "Aiuta?", buttons=[types.Button("Sì", "7.0"), types.Button("No", "7.1")])
    rows = [types.SectionRow(title=f"Voce {number}", callback_data=f"7.{number}") for number in range(10)]
    wa.send_message(told["open"], "Quale?", buttons=types.SectionList("Scegli", sections=[types.Section("x", rows)]))
    try:
        wa.send_message(told["closed"], "ciao")
    except ReEngagementMessage as error:
        code = error.code
    else:
        raise AssertionError("a text went after the window")
    assert code == 131047
    print("sent text, buttons, list; refused after the window")
    assert wa.indicate_typing("wamid.1").success
    try:
        wa.indicate_typing("wamid.unknown")
    except WhatsAppError as error:
        refused = error.code
    else:
        raise AssertionError("somebody is shown to write under a message that nobody wrote")
    assert refused == 100
    print("shown that somebody is writing, under what a resident wrote and nothing else")
    template(wa, told)
    medium = wa.get_media_url("m1")
    content = session.get(medium.url).content
    assert (medium.mime_type, content) == ("image/jpeg", b"picture")
    print("fetched a medium in two steps")
    read(wa, told["calls"])


def template(wa: WhatsApp, told: dict[str, Any]) -> None:
    """Send the template in a language that it has, and in one that it has not."""
    language = types.templates.TemplateLanguage
    wa.send_template(told["closed"], "answer_ready", language.ITALIAN, [])
    try:
        wa.send_template(told["closed"], "answer_ready", language.URDU, [])
    except TemplateNotExists:
        print("sent a template; refused one that is not approved")
    else:
        raise AssertionError("a template went that is not approved")


def read(wa: WhatsApp, calls: dict[str, list[str]]) -> None:
    """Read the calls with which our adapter is tried; a wrong signature is refused."""
    seen: list[tuple[str, Any]] = []
    wa.add_handlers(
        handlers.MessageHandler(lambda _, message: seen.append(("text", message.text))),
        handlers.CallbackButtonHandler(lambda _, tap: seen.append(("tap", tap.data))),
        handlers.MessageStatusHandler(lambda _, status: seen.append(("failed", status.error.code))),
    )
    for body, signature in calls.values():
        assert wa.webhook_update_validator(body.encode(), signature) is None
        assert wa.webhook_update_validator(body.encode() + b" ", signature) is not None
        wa.webhook_update_handler(body.encode())
    assert seen == [("text", "سلام"), ("tap", "7.1"), ("failed", 131047)], seen
    print("read a text, a tap and a failure; refused other bytes under their signatures")
    # The last line is for whoever started this, to compare.
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
