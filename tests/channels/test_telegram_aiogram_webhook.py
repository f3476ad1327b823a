"""The other side of Telegram's webhook, our fake, delivers to aiogram's receiver, which reads with its own schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.conftest import FakeClock
from tests.fakes.telegram_api import TOKEN, FakeBotApi
from tests.fakes.telegram_side import TelegramSide

SECRET = "a-secret"


@asynccontextmanager
async def receiver(seen: list[tuple[str, Any]], *, fails: list[str]) -> AsyncIterator[str]:
    """Serve aiogram's webhook; it notes what it read, and breaks at each text in `fails`, once."""
    # Here and not above: it is three seconds until aiogram is imported, and every process of the tests reads this file.
    from aiogram import Bot, Dispatcher, types  # noqa: PLC0415 - see above
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler  # noqa: PLC0415 - see above
    from aiohttp import web  # noqa: PLC0415 - see above

    dispatcher, bot = Dispatcher(), Bot(TOKEN)

    @dispatcher.message()
    async def message(told: types.Message) -> None:
        if told.text in fails:
            fails.remove(str(told.text))
            raise RuntimeError
        photo = told.photo[-1].file_id if told.photo else None
        seen.append(("message", told.text or (told.media_group_id is not None, photo, told.caption)))

    @dispatcher.edited_message()
    async def edited(told: types.Message) -> None:
        seen.append(("edited", (told.message_id, told.text, told.edit_date is not None)))

    @dispatcher.callback_query()
    async def tapped(told: types.CallbackQuery) -> None:
        seen.append(("tap", told.data))

    @dispatcher.my_chat_member()
    async def member(told: types.ChatMemberUpdated) -> None:
        seen.append(("member", (told.old_chat_member.status, told.new_chat_member.status)))

    app = web.Application()
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=SECRET)
    handler.register(app, "/webhook")
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    finally:
        await runner.cleanup()


async def test_an_independent_receiver_reads_all_that_our_side_of_telegram_sends(clock: FakeClock) -> None:
    seen: list[tuple[str, Any]] = []
    async with receiver(seen, fails=["fragile"]) as address, httpx.AsyncClient() as client:

        async def post(body: bytes, headers: dict[str, str]) -> tuple[int, float]:
            answer = await client.post(address, content=body, headers=headers)
            return answer.status_code, float(answer.headers.get("retry-after", 0))

        telegram = TelegramSide(FakeBotApi(clock=clock.timestamp), post, SECRET)
        first = telegram.write(7, "/start market")
        telegram.tap(7, "1.0")
        telegram.album(7, "a", "b", caption="due foto")
        telegram.edit(7, first, "/start")
        telegram.block(7)
        telegram.unblock(7)
        telegram.write(7, "سلام 你好")
        await telegram.deliver()
        assert seen == [
            ("tap", "1.0"),
            ("message", "/start market"),
            ("message", (True, "a", "due foto")),
            ("message", (True, "b", None)),
            ("edited", (first, "/start", True)),
            ("member", ("member", "kicked")),
            ("member", ("kicked", "member")),
            ("message", "سلام 你好"),
        ]
        # What the receiver breaks at comes again at once, before what follows in its chat.
        for text in ("fragile", "dopo"):
            telegram.write(7, text)
        await telegram.deliver()
        assert [what for _, what in seen[-2:]] == ["fragile", "dopo"]
        # Another secret is not believed, and holds up the chat.
        telegram.secret = "another"
        telegram.write(7, "falso")
        await telegram.deliver()
        assert seen[-1] == ("message", "dopo")
        assert telegram.next_at() is not None
