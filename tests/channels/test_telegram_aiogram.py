"""The fake Bot API is driven by aiogram, which checks every answer against its own schema."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import FILE_MAX, TOKEN, FakeBotApi, StoredFile

if TYPE_CHECKING:
    from aiogram import Bot


@pytest.fixture
def api() -> FakeBotApi:
    return FakeBotApi()


@pytest.fixture
def address(api: FakeBotApi) -> Iterator[str]:
    with LoopbackServer(api.app()) as server:
        yield server.url


def client(address: str) -> "Bot":
    # Here and not above: it is three seconds until aiogram is imported, and every process of the tests reads this file.
    from aiogram import Bot  # noqa: PLC0415 - see above
    from aiogram.client.session.aiohttp import AiohttpSession  # noqa: PLC0415 - see above
    from aiogram.client.telegram import TelegramAPIServer  # noqa: PLC0415 - see above

    return Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(address)))


async def test_an_independent_client_finds_the_fake_to_be_a_bot_api(api: FakeBotApi, address: str) -> None:
    from aiogram.exceptions import TelegramForbiddenError, TelegramRetryAfter  # noqa: PLC0415 - see `client`
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup  # noqa: PLC0415 - see `client`

    api.enforce_rate = True
    async with client(address) as bot:
        assert (await bot.get_me()).is_bot
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="sì", callback_data="1.0")]])
        sent = await bot.send_message(9, "你好", reply_markup=keyboard)
        assert (sent.text, sent.chat.id) == ("你好", 9)
        assert api.sent[0].buttons == (("sì", "1.0"),)
        with pytest.raises(TelegramRetryAfter) as flood:
            await bot.send_message(9, "ancora")
        assert flood.value.retry_after == 1
        api.blocked.add(10)
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(10, "ciao")
        api.updates.append({"update_id": 1})
        assert [update.update_id for update in await bot.get_updates()] == [1]


async def test_an_independent_client_fetches_files_and_sets_commands(api: FakeBotApi, address: str) -> None:
    from aiogram.exceptions import TelegramBadRequest  # noqa: PLC0415 - see `client`
    from aiogram.types import BotCommand  # noqa: PLC0415 - see `client`

    api.files |= {"f": StoredFile("voice/file_1.oga", b"OggS"), "large": StoredFile("a.mp4", b"", says=FILE_MAX + 1)}
    async with client(address) as bot:
        found = await bot.get_file("f")
        assert found.file_path is not None
        downloaded = await bot.download_file(found.file_path)
        assert downloaded is not None
        assert downloaded.read() == b"OggS"
        for wrong in ("large", "nobody's"):
            with pytest.raises(TelegramBadRequest):
                await bot.get_file(wrong)
        menu = [BotCommand(command="menu", description="Tutti gli argomenti")]
        assert await bot.set_my_commands(menu, language_code="it")
        told = await bot.get_my_commands(language_code="it")
        assert [(command.command, command.description) for command in told] == [("menu", "Tutti gli argomenti")]
        assert await bot.get_my_commands() == []
        many = [BotCommand(command=f"c{number}", description="x") for number in range(101)]
        for commands in (
            many,
            [BotCommand(command="Menù", description="x")],
            [BotCommand(command="a", description="")],
        ):
            with pytest.raises(TelegramBadRequest):
                await bot.set_my_commands(commands)
        with pytest.raises(TelegramBadRequest):
            await bot.set_my_commands(menu, language_code="ita")
        assert await bot.set_my_description("x" * 512)
        assert await bot.set_my_short_description("x" * 120, language_code="zh")
        for setting in (bot.set_my_description("x" * 513), bot.set_my_short_description("x" * 121)):
            with pytest.raises(TelegramBadRequest):
                await setting
