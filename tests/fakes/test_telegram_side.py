"""The fake's own rules: queues, retries and expiry, in injected time."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import FakeClock
from tests.fakes.telegram_api import FakeBotApi
from tests.fakes.telegram_side import TelegramSide


@dataclass
class Webhook:
    """Answers with the statuses given, then with 200."""

    clock: FakeClock
    statuses: list[int] = field(default_factory=list)
    retry_after: float = 0
    got: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    async def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        assert headers["X-Telegram-Bot-Api-Secret-Token"] == "s"
        self.got.append((self.clock.timestamp(), json.loads(body)))
        return (self.statuses.pop(0), self.retry_after) if self.statuses else (200, 0)


def side(clock: FakeClock, **fields: Any) -> tuple[TelegramSide, Webhook]:
    webhook = Webhook(clock, **fields)
    return TelegramSide(FakeBotApi(clock=clock.timestamp), webhook.post, "s"), webhook


async def run(telegram: TelegramSide, clock: FakeClock, until: float) -> None:
    end = clock.timestamp() + until
    while (due := telegram.next_at()) is not None and due <= end:
        clock.advance(seconds=max(due - clock.timestamp(), 0))
        await telegram.deliver()
    clock.advance(seconds=end - clock.timestamp())


async def test_a_refused_message_is_sent_again_and_holds_back_its_chat_only(clock: FakeClock) -> None:
    telegram, webhook = side(clock, statuses=[503] * 5)
    start = clock.timestamp()
    telegram.write(1, "uno")
    telegram.write(1, "due")
    await run(telegram, clock, 20)
    assert [round(at - start) for at, _ in webhook.got] == [0, 0, 2, 6, 14]
    telegram.write(2, "altro")
    await telegram.deliver()
    assert [body["message"]["text"] for _, body in webhook.got][-1] == "altro"
    await run(telegram, clock, 60)
    assert [body["message"]["text"] for _, body in webhook.got][-2:] == ["uno", "due"]
    assert telegram.next_at() is None


async def test_a_tap_overtakes_the_message_before_it_and_expires_sooner(clock: FakeClock) -> None:
    telegram, webhook = side(clock)
    telegram.write(1, "prima")
    telegram.tap(1, "1.0")
    await telegram.deliver()
    assert [next(iter(set(body) - {"update_id"})) for _, body in webhook.got] == ["callback_query", "message"]
    webhook.statuses = [503] * 1000
    telegram.write(1, "resta")
    telegram.tap(1, "1.1")
    await run(telegram, clock, 3600)
    assert len(telegram.expired) == 1, "the tap"
    webhook.statuses = []
    await run(telegram, clock, 200)
    assert len(telegram.acknowledged) == 3


async def test_a_message_expires_after_a_day_and_retry_after_is_honoured(clock: FakeClock) -> None:
    telegram, webhook = side(clock, statuses=[503, 503], retry_after=600)
    start = clock.timestamp()
    telegram.write(1, "uno")
    await run(telegram, clock, 3000)
    assert [round(at - start) for at, _ in webhook.got] == [0, 600, 1200]
    webhook.statuses, webhook.retry_after = [503] * 10_000, 0
    telegram.write(1, "due")
    await run(telegram, clock, 90_000)
    assert len(telegram.expired) == 1
    assert telegram.next_at() is None
