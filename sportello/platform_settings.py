"""The settings of the platforms. Each is off until it is set up, and says what it would transfer to whom."""

import re
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from channels.wechat import Mode as WeChatMode
from channels.wechat_envelope import BadKeyError, checked_key
from channels.whatsapp import Template as WhatsAppTemplate

PREFIX: Final = "SPORTELLO_"
RELAY_APPS: Final = ("imo", "wechat", "whatsapp", "other")
BRIDGE_SECRET_LEAST: Final = 32
# What Telegram allows in a link (https://core.telegram.org/bots/features#deep-linking); WeChat allows as much.
SCENE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def named(value: str) -> list[str]:
    """Give the words of a setting that has commas between them."""
    return [word for word in (part.strip() for part in value.split(",")) if word]


def _devices(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition(":") for each in named(value)]
    return tuple((name.strip(), token.strip()) for name, _, token in pairs)


class PlatformSettings(BaseSettings):
    """The part of the settings that says on which platforms residents can write."""

    scenes: str = Field(
        "",
        description="Words in links and QR codes (a poster, a card) that are counted apart, with commas between.",
    )
    telegram_token: SecretStr = Field(
        SecretStr(""),
        description="Token of the Telegram bot. Empty: no Telegram. Set, it gives Telegram, a company outside the"
        " European Union, all that residents and the service write to one another there, and who they are on Telegram.",
    )
    telegram_secret: SecretStr = Field(
        SecretStr(""), description="Secret that Telegram sends with every update. Empty: no webhook route."
    )
    telegram_api_base: str = Field("https://api.telegram.org", description="Address of the Bot API server.")
    telegram_rate: float = Field(30.0, gt=0, description="Messages a second over all chats; Telegram allows 30.")

    wechat_app_id: str = Field(
        "",
        pattern="^[A-Za-z0-9_-]*$",
        description="App id (wx...) of the WeChat Official Account. Empty: no WeChat. With it, what residents write"
        " there and what they are answered goes through Tencent, also in China.",
    )
    wechat_secret: SecretStr = Field(
        SecretStr(""), description="Its AppSecret. The address of this server must be in the account's list."
    )
    wechat_token: SecretStr = Field(
        SecretStr(""), description="Token with which WeChat signs what it sends. Empty: no webhook route."
    )
    wechat_aes_key: SecretStr = Field(
        SecretStr(""), description="EncodingAESKey, 43 letters and digits, with which messages are sealed."
    )
    wechat_old_aes_key: SecretStr = Field(
        SecretStr(""), description="The EncodingAESKey before a change, for the hours of the change."
    )
    wechat_mode: WeChatMode = Field(
        WeChatMode.SAFE,
        description="As set at WeChat: safe, compat or plain. Plain messages can be forged; only safe is advised.",
    )
    wechat_api_base: str = Field("https://api.weixin.qq.com", description="Address of WeChat's interface.")
    wecom_corp_id: str = Field("", description="Id of the organisation at WeCom, as ww0123456789abcdef.")
    wecom_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of WeCom's customer service. Empty: no WeCom. Set: what residents write in a WeChat"
        " customer service chat, and what is answered there, goes through the servers of Tencent, which give us an id"
        " of the person, and no name or number.",
    )
    wecom_open_kfid: str = Field("", description="Id of the customer service account, as wk followed by letters.")
    wecom_token: SecretStr = Field(
        SecretStr(""), description="Token of the callback. Empty: no webhook route; messages come minutes late."
    )
    wecom_aes_key: SecretStr = Field(
        SecretStr(""), description="EncodingAESKey of the callback: 43 letters and digits."
    )
    wecom_menus: bool = Field(
        default=False,
        description="Send choices to be tapped, and not as a numbered list. Taps are not sure to let us write again.",
    )
    wecom_api_base: str = Field("https://qyapi.weixin.qq.com", description="Address of WeCom's servers.")

    whatsapp_phone_id: str = Field(
        "",
        pattern="^[0-9]*$",
        description="Id of the WhatsApp number (not the number itself). Empty: no WhatsApp. With it, what residents"
        " write and send there, their phone numbers and every answer pass through Meta (WhatsApp).",
    )
    whatsapp_token: SecretStr = Field(SecretStr(""), description="Access token of a system user, for the Cloud API.")
    whatsapp_secret: SecretStr = Field(
        SecretStr(""), description="Secret of the Meta app, which signs every call. Empty: no webhook route."
    )
    whatsapp_verify_token: SecretStr = Field(
        SecretStr(""), description="Word of your own with which Meta checks the webhook's address."
    )
    whatsapp_template: str = Field(
        "",
        description="Approved template that asks a resident to write again after 24 hours, with its languages, as"
        " answer_ready:it,en,ur. Meta charges for each. Empty: answers wait in silence.",
    )
    whatsapp_api_base: str = Field("https://graph.facebook.com/v24.0", description="Address of the Graph API.")
    phone_devices: SecretStr = Field(
        SecretStr(""),
        description="Phones that pass on notifications of imo and other apps, as name:token with commas between; each "
        "token at least 16 letters and digits. Transfers to each phone what residents of its apps are answered, and "
        "through it to the makers of the app and of the macro program. Empty: no phone gateway.",
    )
    phone_repeat_seconds: float = Field(
        20.0,
        ge=0,
        le=3600,
        description="The same words of the same sender within so many seconds are one message, as notifications have "
        "no ids. 0: never.",
    )
    relay_apps: str = Field(
        "",
        description="Apps that an operator serves by hand at /desk/relay: imo, wechat, whatsapp, other, with commas "
        "between. Transfers nothing by itself: the operator copies, and the app's maker gets what is copied. Empty: no "
        "relay desk, unless there are phones.",
    )
    bridge_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret with which a bridge signs, at least 32 letters. Transfers to the bridge what its residents "
        "are answered. Empty: no bridge.",
    )
    bridge_name: str = Field("bridge", pattern="^[a-z0-9-]{1,40}$", description="Name of the bridge, as its account.")

    @field_validator("phone_devices")
    @classmethod
    def _devices_can_be_read(cls, value: SecretStr) -> SecretStr:
        devices = _devices(value.get_secret_value())
        for name, token in devices:
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name) or not re.fullmatch(r"[A-Za-z0-9_-]{16,200}", token):
                raise ValueError("phones are written name:token, the token at least 16 letters and digits")
        if len({name for name, _ in devices}) < len(devices) or len({token for _, token in devices}) < len(devices):
            raise ValueError("each phone needs a name and a token of its own")
        return value

    @field_validator("relay_apps")
    @classmethod
    def _apps_are_known(cls, value: str) -> str:
        unknown = set(named(value)) - set(RELAY_APPS)
        if unknown:
            raise ValueError(f"not an app of the relay desk: {', '.join(sorted(unknown))}")
        return value

    @field_validator("bridge_secret")
    @classmethod
    def _bridge_has_a_secret(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < BRIDGE_SECRET_LEAST:
            raise ValueError(f"a bridge's secret has at least {BRIDGE_SECRET_LEAST} letters")
        return value

    @field_validator("scenes")
    @classmethod
    def _scenes_fit_into_a_link(cls, value: str) -> str:
        for scene in named(value):
            if not SCENE.fullmatch(scene):
                raise ValueError(f"{scene!r} does not fit into a link: at most 64 letters, digits, _ and -")
        return value

    @field_validator("wechat_aes_key", "wechat_old_aes_key", "wecom_aes_key")
    @classmethod
    def _key_can_be_read(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            try:
                checked_key(value.get_secret_value())
            except BadKeyError as error:
                raise ValueError(str(error)) from error
        return value

    @field_validator("whatsapp_template")
    @classmethod
    def _template_can_be_read(cls, value: str) -> str:
        WhatsAppTemplate.parse(value)
        return value

    @model_validator(mode="after")
    def _whatsapp_is_whole(self) -> Self:
        secret, token = self.whatsapp_secret.get_secret_value(), self.whatsapp_token.get_secret_value()
        if self.whatsapp_phone_id and not token:
            raise ValueError(f"{PREFIX}WHATSAPP_PHONE_ID needs {PREFIX}WHATSAPP_TOKEN")
        if self.whatsapp_phone_id and secret and not self.whatsapp_verify_token.get_secret_value():
            raise ValueError(f"{PREFIX}WHATSAPP_SECRET needs {PREFIX}WHATSAPP_VERIFY_TOKEN")
        return self

    @model_validator(mode="after")
    def _wechat_is_whole(self) -> Self:
        if not self.wechat_app_id:
            return self
        if not self.wechat_secret.get_secret_value():
            raise ValueError("SPORTELLO_WECHAT_APP_ID is set, so SPORTELLO_WECHAT_SECRET is needed too")
        if self.wechat_mode is not WeChatMode.PLAIN and not self.wechat_aes_key.get_secret_value():
            raise ValueError(f"the mode {self.wechat_mode.value} needs SPORTELLO_WECHAT_AES_KEY")
        return self

    @model_validator(mode="after")
    def _wecom_is_whole(self) -> Self:
        secret, token = self.wecom_secret.get_secret_value(), self.wecom_token.get_secret_value()
        if secret and not (self.wecom_corp_id and self.wecom_open_kfid):
            raise ValueError(f"{PREFIX}WECOM_SECRET needs {PREFIX}WECOM_CORP_ID and {PREFIX}WECOM_OPEN_KFID")
        if token and not (secret and self.wecom_aes_key.get_secret_value()):
            raise ValueError(f"{PREFIX}WECOM_TOKEN needs {PREFIX}WECOM_SECRET and {PREFIX}WECOM_AES_KEY")
        return self

    @property
    def counted_scenes(self) -> frozenset[str]:
        """Give the scenes that are counted apart."""
        return frozenset(named(self.scenes))

    @property
    def phones(self) -> tuple[tuple[str, str], ...]:
        """Give name and token of each phone."""
        return _devices(self.phone_devices.get_secret_value())

    @property
    def relayed(self) -> tuple[str, ...]:
        """Give the apps of the relay desk; where there are phones, it is there for what they must not answer."""
        return tuple(named(self.relay_apps)) or (RELAY_APPS if self.phones else ())
