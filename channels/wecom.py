"""WeCom customer service, 微信客服 (https://developer.work.weixin.qq.com/document/path/94638).

A callback only rings: it says that there is something to fetch, with a token for ten minutes. What there is comes from
kf/sync_msg, after a cursor. Five messages may be sent within 48 hours after each message of a resident.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from channels.adapter import (
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    Medium,
    Pulled,
    RejectedError,
    Window,
    WireMessage,
)
from channels.rendering import shortened_to
from channels.results import NeedsPerson, RetryAfter, SendResult, Sent, Unknown, WindowClosed
from channels.wechat_envelope import Envelope, EnvelopeError, WrongReceiverError, read_xml
from channels.wecom_api import BAD_DOORBELL, BAD_PARAMETER, SOON, STATE_FORBIDS, Reply, WecomApi, result_of
from channels.wecom_messages import CHANNEL, inbound_of, is_id, key_of

# --- constants -------------------------------------------------------------------------------------

BODY_MAX: Final = 64 * 1024
# Later than this a signed request is a replay: WeCom repeats an unanswered one within seconds.
REPLAY_WINDOW: Final = timedelta(minutes=5)
# Of send_msg (document/path/94677), in bytes but for the number of choices.
TEXT_MAX: Final = 2048
MENU_HEAD_MAX: Final = 1024
MENU_ITEM_MAX: Final = 128
MENU_ITEMS_MAX: Final = 10
# A cursor is kept and given back: plain characters, and more of them than WeCom gives.
_CURSOR: Final = re.compile(r"[\x21-\x7e]{0,2048}")
MESSAGE_ID_CHARACTERS: Final = 32
AFTER_MESSAGE: Final = Window(timedelta(hours=48), 5)
# Opening the chat lets us say one thing, with its code; a tap in a menu opens nothing that we can be sure of.
AFTER_TAP: Final = Window(timedelta(seconds=20), 0)
RESERVED: Final = 2
CHAT_INTERVAL: Final = timedelta(milliseconds=500)
ACCOUNT_INTERVAL: Final = timedelta(milliseconds=50)
# At most 1,000 (document/path/94670); a page is stored in one transaction.
PAGE: Final = 200
DOORBELL: Final = "kf_msg_or_event"

# States of a session (document/path/94669). We keep to 1, in which the interface may send.
NEW, WITH_US, IN_POOL, WITH_STAFF, ENDED = range(5)


class WecomAdapter:
    """One customer service account of one corporation."""

    channel = CHANNEL
    body_max = BODY_MAX

    def __init__(
        self,
        *,
        corp_id: str,
        open_kfid: str,
        api: WecomApi,
        token: str = "",
        aes_key: str = "",
        menus: bool = False,
    ) -> None:
        """Take the settings; `token` and `aes_key` are those of the callback, without which nobody may ring.

        `menus` sends choices to be tapped. Nothing is asked of the network yet. Raises
        `channels.wechat_envelope.BadKeyError`.
        """
        self.account = open_kfid
        self._envelope = Envelope(token=token, aes_key=aes_key, receiver=corp_id) if token and aes_key else None
        self._api = api
        self.capabilities = Capabilities(
            text_max=TEXT_MAX,
            unit="bytes",
            choices_max=MENU_ITEMS_MAX if menus else 0,
            choices_text_max=MENU_HEAD_MAX,
            chat_interval=CHAT_INTERVAL,
            account_interval=ACCOUNT_INTERVAL,
            after_text=AFTER_MESSAGE,
            after_tap=AFTER_TAP,
            reserved=RESERVED,
            merges=True,
        )

    # --- verify ------------------------------------------------------------------------------------

    def check(self, call: Call, *, now: datetime) -> Answer:
        """Answer the check of the address with what its `echostr` says once it is opened."""
        envelope = self._signed(call, call.query.get("echostr", ""), now=now)
        try:
            return Answer(envelope.open(call.query.get("echostr", "")).text)
        except EnvelopeError as error:
            raise RejectedError(401) from error

    def verify(self, call: Call, *, now: datetime) -> Any:
        """Compare the signature in constant time, look at its time and at whom it is for, and open the envelope."""
        try:
            sealed = read_xml(call.body).get("Encrypt", "")
        except EnvelopeError as error:
            raise RejectedError(401) from error
        envelope = self._signed(call, sealed, now=now)
        try:
            return read_xml(envelope.open(sealed).text)
        except WrongReceiverError as error:
            raise RejectedError(401) from error
        except EnvelopeError:
            return sealed

    def _signed(self, call: Call, sealed: str, *, now: datetime) -> Envelope:
        """Give the envelope of a request that WeCom signed just now. Raises RejectedError."""
        if self._envelope is None:
            raise RejectedError(404)
        query = call.query
        timestamp = query.get("timestamp", "")
        if not self._envelope.is_signed(
            query.get("msg_signature", ""), timestamp=timestamp, nonce=query.get("nonce", ""), encrypted=sealed
        ):
            raise RejectedError(401)
        recent = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12  # noqa: PLR2004 - seconds
        if not recent or abs(now.timestamp() - int(timestamp)) > REPLAY_WINDOW.total_seconds():
            raise RejectedError(401)
        return self._envelope

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Say nothing but 200, which is what WeCom waits for."""
        return Answer()

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give the message's id, which is unique for an account; a hash where there is none."""
        return key_of(payload)

    def doorbell(self, payload: Any) -> str | None:
        """Give the token of a callback that is for our account; None for any other."""
        if not _rings(payload) or payload.get("OpenKfId", self.account) != self.account:
            return None
        token = payload.get("Token", "")
        return token if isinstance(token, str) else ""

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn an item of sync_msg into what came in; callbacks that announce nothing for us give nothing."""
        if not isinstance(payload, dict):
            raise BadPayloadError("neither a callback nor a message")
        if "MsgType" in payload:
            # Of another account, or an event of the corporation that is none of ours.
            return []
        if payload.get("msgtype") is None:
            raise BadPayloadError("neither a callback nor a message")
        found = inbound_of(self.account, payload)
        return [] if found is None else [found]

    async def pull(self, cursor: str, token: str) -> Pulled | SendResult:
        """Fetch what came after a cursor. With a token that WeCom refuses, fetch without: that is allowed, less often.

        A cursor that WeCom does not take begins anew three days ago: what is known already is dropped by its key.
        """
        reply = await self._sync(cursor, token)
        if isinstance(reply, Reply) and reply.code == BAD_DOORBELL and token:
            reply = await self._sync(cursor, "")
        if isinstance(reply, Reply) and reply.code == BAD_PARAMETER and cursor:
            reply = await self._sync("", "")
        if not isinstance(reply, Reply):
            return reply
        if not reply.done:
            return result_of(reply)
        following, found = reply.body.get("next_cursor") or "", reply.body.get("msg_list") or []
        if not isinstance(following, str) or _CURSOR.fullmatch(following) is None or not isinstance(found, list):
            return Unknown("a page that is none")
        # Without a cursor there is nothing new to go on from, whatever else it says.
        return Pulled(tuple(found), following or cursor, more=reply.body.get("has_more") == 1 and following != "")

    async def _sync(self, cursor: str, token: str) -> Reply | SendResult:
        arguments = {"cursor": cursor, "token": token, "open_kfid": self.account, "limit": PAGE, "voice_format": 0}
        wanted = {name: value for name, value in arguments.items() if value != ""}
        return await self._api.call("kf/sync_msg", wanted)

    # --- send --------------------------------------------------------------------------------------

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send a text, or a menu; with the code of an opened chat where there is one."""
        content = _content(message)
        content["msgid"] = message_id(thread, message)
        if message.reply_code is not None:
            reply = await self._api.call("kf/send_msg_on_event", {"code": message.reply_code, **content})
            if not isinstance(reply, Reply) or reply.done or isinstance(result_of(reply), RetryAfter):
                return _sent(reply, content)
            # The code is too old or was used: the resident may have written since, which lets us write.
        arguments = {"touser": thread, "open_kfid": self.account, **content}
        reply = await self._api.call("kf/send_msg", arguments)
        if isinstance(reply, Reply) and reply.code == STATE_FORBIDS:
            return await self._send_in_state(thread, arguments)
        return _sent(reply, content)

    async def _send_in_state(self, thread: str, arguments: Mapping[str, Any]) -> SendResult:
        """Find out why the session's state forbids sending; a session that is nobody's yet is taken, once."""
        session = {"open_kfid": self.account, "external_userid": thread}
        state = await self._api.call("kf/service_state/get", session)
        if not isinstance(state, Reply):
            # Nothing was sent, whatever became of this question.
            return RetryAfter(SOON, "message", "the state of the session is not known")
        if not state.done:
            return result_of(state)
        match state.body.get("service_state"):
            case 0:
                taken = await self._api.call("kf/service_state/trans", {**session, "service_state": WITH_US})
                if not isinstance(taken, Reply):
                    return RetryAfter(SOON, "message", "the session could not be taken")
                if not taken.done:
                    return result_of(taken)
                return _sent(await self._api.call("kf/send_msg", arguments), arguments)
            case 2:
                return NeedsPerson("the session waits in WeCom's own queue")
            case 3:
                return NeedsPerson("staff have the session in WeCom")
            case 4:
                return WindowClosed()
            case _:
                return NeedsPerson("the session's state forbids sending; is the organisation verified?")

    async def acknowledge(self, reference: str) -> SendResult:
        """Do nothing: a tap arrives as a text, and waits for no answer of its own."""
        return Sent(reference)

    async def fetch(self, ref: str) -> Medium:
        """Fetch a medium that a resident sent. Raises MediumGoneError and PlatformRefusedError."""
        return await self._api.medium(ref)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def message_id(thread: str, message: WireMessage) -> str:
    """Give the id under which a message is sent, at most 32 letters and digits: the same when it is tried again.

    The text is part of it. Keys begin anew with a new database, and WeCom may take an id that it knows for a
    repetition.
    """
    named = f"{message.key}\n{thread}\n{message.text}".encode("utf-8", "replace")
    return hashlib.sha256(named).hexdigest()[:MESSAGE_ID_CHARACTERS]


def _content(message: WireMessage) -> dict[str, Any]:
    text = message.text.encode("utf-8", "replace").decode()
    if not message.choices:
        return {"msgtype": "text", "text": {"content": text}}
    items = [
        {"type": "click", "click": {"id": choice.id, "content": shortened_to(choice.label, MENU_ITEM_MAX, "bytes")}}
        for choice in message.choices
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": text, "list": items}}


def _sent(reply: Reply | SendResult, content: Mapping[str, Any]) -> SendResult:
    if not isinstance(reply, Reply):
        return reply
    if not reply.done:
        return result_of(reply)
    given = reply.body.get("msgid")
    return Sent(given if is_id(given) else str(content["msgid"]))


def _rings(payload: Any) -> bool:
    return isinstance(payload, dict) and payload.get("MsgType") == "event" and payload.get("Event") == DOORBELL
