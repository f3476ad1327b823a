"""A phone with messaging apps and a macro program, as docs/gateway.md sets it up.

It enforces what is known of both:

- a notification carries the sender as the phone shows it, and neither an id nor a time;
- a reply goes through the notification, and only while it lives: opening the chat on the phone ends it;
- the macro sends the texts of a message one after the other, and says `done` when it ran, not when it arrived;
- a program that is killed fetches nothing, acknowledges nothing and beats no more.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx

IMO = "com.imo.android.imoim"
WHATSAPP = "com.whatsapp"


def notification(text: str, *, sender: str = "Ali Khan", package: str = IMO, **query: Any) -> dict[str, Any]:
    """Make the body of one notification."""
    told = {"sender": sender, "message": text, "isGroup": False, "groupParticipant": "", "ruleId": 42}
    return {
        "appPackageName": "tkstudio.autoresponderforwa",
        "messengerPackageName": package,
        "query": told | {"isTestMessage": False} | query,
    }


@dataclass
class FakePhone:
    """One phone. `shown` is what each resident got, in its order."""

    client: httpx.AsyncClient
    token: str
    shown: dict[str, list[str]] = field(default_factory=dict)
    alive: dict[str, bool] = field(default_factory=dict)
    killed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Device-Token": self.token}

    async def arrives(self, text: str, *, sender: str = "Ali Khan", lost: bool = False, **fields: Any) -> list[str]:
        """Let a message arrive; gives the replies that went back through its notification, unless they got `lost`."""
        self.alive[sender] = True
        body = notification(text, sender=sender, **fields)
        answer = await self.client.post("/gateways/phone/messages", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        replies = [reply["message"] for reply in answer.json()["replies"]]
        self.shown.setdefault(sender, []).extend([] if lost else replies)
        return replies

    def opens_chat(self, sender: str) -> None:
        """Open a chat on the phone itself: its notification is gone."""
        self.alive[sender] = False

    async def fetches(self, *, most: int = 1, wait: int = 0) -> list[dict[str, Any]]:
        """Poll once, waiting for nothing unless told to."""
        assert not self.killed
        asked = {"wait": wait, "most": most}
        answer = await self.client.get("/gateways/phone/outbox", params=asked, headers=self.headers)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    async def works(self) -> int:
        """Run the polling macro until nothing is left; gives how many messages it handled."""
        handled = 0
        while not self.killed and (messages := await self.fetches()):
            for message in messages:
                handled += 1
                await self.says(message["id"], "done" if self.replies(message) else "failed")
        return handled

    def replies(self, message: dict[str, Any]) -> bool:
        """Reply with the texts of a message through the notification; False where that is gone."""
        alive = self.alive.get(message["recipient"], False)
        if alive:
            self.shown.setdefault(message["recipient"], []).extend(message["texts"])
        return alive

    async def says(self, message: int, status: str) -> httpx.Response:
        """Acknowledge a message."""
        assert not self.killed
        return await self.client.post(
            f"/gateways/phone/outbox/{message}/ack", json={"status": status}, headers=self.headers
        )

    async def beats(self) -> httpx.Response:
        """Run the heartbeat macro."""
        assert not self.killed
        return await self.client.post("/gateways/phone/heartbeat", content=b"", headers=self.headers)
