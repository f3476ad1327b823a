"""The other side of Telegram's webhook: residents, and the server that delivers what they do.

The rules are those of tdlib/telegram-bot-api 10.0, in injected time:

- What happens in a chat waits in a queue of that chat: the next update is not sent before the first is acknowledged
  with a status of 2xx, or has expired. A refused one is sent again at once, then after 2, 4, 8 ... seconds, at most a
  random 60 to 120; `Retry-After` is honoured up to an hour.
- Taps wait in a queue of their person, so that a tap overtakes the message that was sent before it.
- A message expires 24 hours after its date, a tap after 150 seconds.
- Every request carries the secret that was given with setWebhook.
"""

import json
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.telegram_api import CALLBACK_SECONDS, FakeBotApi

MESSAGE_SECONDS: Final = 24 * 3600.0
LONGEST_RETRY_AFTER: Final = 3600.0
# Clocks of tests count in microseconds.
TICK: Final = 1e-5


@dataclass
class Pending:
    """An update on its way."""

    update: dict[str, Any]
    expires_at: float
    next_at: float
    refused: int = 0


# Posts a body with headers to the webhook; gives the status and the seconds of Retry-After, or 0.
Post = Callable[[bytes, dict[str, str]], Awaitable[tuple[int, float]]]


@dataclass
class TelegramSide:
    """Residents with their app, and the server's queues."""

    api: FakeBotApi
    post: Post
    secret: str
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - spreads retries, guards nothing
    acknowledged: list[int] = field(default_factory=list)
    expired: list[int] = field(default_factory=list)
    attempts: int = 0
    _queues: dict[tuple[str, int], deque[Pending]] = field(default_factory=lambda: defaultdict(deque))
    _updates: int = 1000
    _messages: int = 0

    # --- what residents do ---

    def write(self, chat: int, text: str, **fields: Any) -> int:
        """Send a text; gives the message's id."""
        return self.send(chat, text=text, **fields)

    def send(self, chat: int, **fields: Any) -> int:
        """Send a message with any content; gives its id."""
        self._messages += 1
        self._push("chat", chat, "message", self._message(chat, self._messages) | fields)
        return self._messages

    def album(self, chat: int, *files: str, caption: str = "") -> list[int]:
        """Send photos together: they arrive as messages of their own with the same group."""
        group = str(13_000_000_000 + self._messages)
        captions = [caption, *[""] * (len(files) - 1)]
        return [
            self.send(
                chat,
                media_group_id=group,
                photo=[{"file_id": name, "file_unique_id": name, "width": 90, "height": 90}],
                **({"caption": said} if said else {}),
            )
            for name, said in zip(files, captions, strict=True)
        ]

    def edit(self, chat: int, message_id: int, text: str) -> None:
        """Change a text that was sent before."""
        edited = self._message(chat, message_id) | {"text": text, "edit_date": int(self.api.clock())}
        self._push("chat", chat, "edited_message", edited)

    def tap(self, chat: int, data: str) -> str:
        """Tap a button; gives the query's id."""
        query = f"q{self._updates + 1}"
        self.api.tap(query)
        message = {"message_id": 1, "date": 0, "chat": self._chat(chat)}
        body = {"id": query, "from": self._person(chat), "chat_instance": "1", "data": data, "message": message}
        self._push("callback", chat, "callback_query", body)
        return query

    def block(self, chat: int) -> None:
        """Block the bot."""
        self.api.blocked.add(chat)
        self._membership(chat, "member", "kicked")

    def unblock(self, chat: int) -> None:
        """Take the bot back."""
        self.api.blocked.discard(chat)
        self._membership(chat, "kicked", "member")

    def _membership(self, chat: int, old: str, new: str) -> None:
        bot = {"id": int(self.api.token.partition(":")[0]), "is_bot": True, "first_name": "S"}

        def member(status: str) -> dict[str, Any]:
            return {"user": bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})

        change = {"chat": self._chat(chat), "from": self._person(chat), "date": int(self.api.clock())}
        self._push(
            "chat", chat, "my_chat_member", change | {"old_chat_member": member(old), "new_chat_member": member(new)}
        )

    def _message(self, chat: int, message_id: int) -> dict[str, Any]:
        return {
            "message_id": message_id,
            "from": self._person(chat),
            "chat": self._chat(chat),
            "date": int(self.api.clock()),
        }

    @staticmethod
    def _person(chat: int) -> dict[str, Any]:
        return {"id": chat, "is_bot": False, "first_name": "R", "language_code": "it"}

    @staticmethod
    def _chat(chat: int) -> dict[str, Any]:
        return {"id": chat, "type": "private", "first_name": "R"}

    # --- the server ---

    def _push(self, queue: str, who: int, kind: str, body: dict[str, Any]) -> None:
        self._updates += 1
        now = self.api.clock()
        lasts = CALLBACK_SECONDS if kind == "callback_query" else MESSAGE_SECONDS
        self._queues[queue, who].append(Pending({"update_id": self._updates, kind: body}, now + lasts, now))

    def next_at(self) -> float | None:
        """Give the moment of the next attempt, or None where nothing is on its way."""
        return min((queue[0].next_at for queue in self._queues.values() if queue), default=None)

    async def deliver(self) -> None:
        """Make every attempt that is due now. Taps come first: they overtake."""
        for key in sorted(self._queues, key=lambda key: key[0] != "callback"):
            queue = self._queues[key]
            while queue and queue[0].next_at <= self.api.clock() + TICK:
                if await self._attempt(queue[0]):
                    queue.popleft()

    async def _attempt(self, pending: Pending) -> bool:
        """Send an update; True where it needs no further attempt."""
        number = int(pending.update["update_id"])
        now = self.api.clock()
        if now > pending.expires_at:
            self.expired.append(number)
            return True
        self.attempts += 1
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret, "Content-Type": "application/json"}
        status, retry_after = await self.post(json.dumps(pending.update).encode(), headers)
        if 200 <= status < 300:
            self.acknowledged.append(number)
            return True
        pending.refused += 1
        longest = self.chance.uniform(60, 120)
        again = 0.0 if pending.refused == 1 else min(2.0 ** (pending.refused - 1), longest)
        pending.next_at = now + max(again, min(retry_after, LONGEST_RETRY_AFTER))
        return False
