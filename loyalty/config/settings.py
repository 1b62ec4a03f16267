"""Settings: what the environment (over a `.env` file) says about this installation. Secrets come from here alone."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from loyalty.config.dotenv import read_dotenv
from loyalty.config.endpoint_url import EndpointUrl, mask_url
from loyalty.config.faults import Place, known, nearest, shown
from loyalty.config.readings import ENDPOINT
from loyalty.core.errors import Invalid, InvalidFile

PREFIX = "LOYALTY_"
RPC_PREFIX = "LOYALTY_RPC_"

_SECRET = frozenset({"admin_key", "coingecko_key", "database"})
"""What is not repeated in a fault: a key, and a URL that may hold a password."""


def _admin_key(key: SecretStr) -> SecretStr:
    """A key as it fits a header."""
    secret = key.get_secret_value()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError
    return key


def _database(text: str) -> str:
    if "://" in text:
        parts = urlsplit(text)
        _ = parts.port  # a wrong one is a ValueError only when it is read
        if parts.scheme.partition("+")[0] not in ("sqlite", "postgresql"):
            raise ValueError
    return text


def _origins(text: object) -> object:
    """A comma-separated list of origins, each as a browser sends it."""
    if not isinstance(text, str):
        return text
    origins = tuple(origin.strip() for origin in text.split(",") if origin.strip())
    if not all(origin == "*" or _is_origin(origin) for origin in origins):
        raise ValueError
    return origins


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and text == f"{parts.scheme}://{parts.netloc}" and bool(parts.hostname)


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


class Settings(BaseSettings):
    """An installation. Made by `load_settings`; the descriptions are what a fault says is allowed."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    program: Path | None = Field(None, description="the path of a program file (TOML)")
    database: Annotated[str, AfterValidator(_database)] = Field(
        "loyalty.db", repr=False, description="the path of a SQLite file, or a URL sqlite:///… or postgresql://…"
    )
    host: str = Field("127.0.0.1", description="the address to listen on, such as 127.0.0.1")
    port: int = Field(8000, ge=1, le=65_535, description="a whole number from 1 to 65535")
    admin_key: Annotated[SecretStr, AfterValidator(_admin_key)] | None = Field(
        None, description="a key of ASCII letters, digits and signs, without spaces"
    )
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = Field(
        (), description='origins such as https://app.example.org without a path, apart by commas, or "*"'
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = Field("text", description="text or json")
    backup_folder: Path = Field(Path("backups"), description="the path of a folder")
    backups_kept: int = Field(10, ge=1, le=10_000, description="a whole number from 1 to 10000")
    backup_hours: float = Field(24.0, gt=0, le=720, description="hours above 0, at most 720")
    refresh_seconds: float = Field(60.0, ge=0.5, le=3_600, description="seconds from 0.5 to 3600")
    coingecko_key: Annotated[SecretStr, AfterValidator(_admin_key)] | None = Field(
        None, description="a CoinGecko key without spaces"
    )
    coingecko_plan: Literal["demo", "pro"] = Field("demo", description="demo or pro: the plan of the key")
    rpc: dict[str, tuple[EndpointUrl, ...]] = Field(
        default_factory=dict, description="endpoints apart by commas; by variable, such as LOYALTY_RPC_ARBITRUM"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` gives: the environment is its argument, and no name in it is passed over."""
        return (init_settings,)

    @property
    def program_path(self) -> Path:
        """The program file; raises Invalid where none is named."""
        if self.program is None:
            raise Invalid("no program file is named: set LOYALTY_PROGRAM to its path, such as programs/demo.toml")
        return self.program


def rpc_variable(chain: str) -> str:
    """The variable that replaces a chain's endpoints: LOYALTY_RPC_ARBITRUM_ONE for arbitrum-one."""
    return RPC_PREFIX + chain.upper().replace("-", "_")


def load_settings(environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings of `environment` (default: the process's own), over those of the file `dotenv` where there is one.

    An empty value counts as not set. Raises InvalidFile with every fault; other names than LOYALTY_* are not looked at.
    """
    own = os.environ if environment is None else environment
    merged = {**(read_dotenv(dotenv) if dotenv else {}), **own}
    variables = {name: value for name, value in merged.items() if name.upper().startswith(PREFIX) and value.strip()}
    place = Place()
    rpc = {name: _endpoints(value, place.at(name)) for name, value in variables.items() if _is_rpc(name)}
    plain = {name.removeprefix(PREFIX).lower(): value for name, value in variables.items() if name in _names()}
    for name in variables.keys() - rpc.keys() - set(_names()):
        place.at(name).fault("an unknown name", nearest(name.upper(), [*_names(), f"{RPC_PREFIX}<CHAIN>"]))
    settings = _validated({**plain, "rpc": rpc}, place)
    if settings is None or place.faults:
        raise InvalidFile("the environment", sorted(place.faults))
    return settings


def masked_settings(settings: Settings) -> dict[str, Any]:
    """What `loyalty config` prints of the settings: JSON-ready, no key, no password, no URL in full."""
    return {
        "program": str(settings.program) if settings.program else None,
        "database": _masked_database(settings.database),
        "host": settings.host,
        "port": settings.port,
        "admin_key": "set" if settings.admin_key else "not set",
        "cors_origins": list(settings.cors_origins),
        "log_level": settings.log_level,
        "log_format": settings.log_format,
        "backup_folder": str(settings.backup_folder),
        "backups_kept": settings.backups_kept,
        "backup_hours": settings.backup_hours,
        "refresh_seconds": settings.refresh_seconds,
        "coingecko_key": "set" if settings.coingecko_key else "not set",
        "coingecko_plan": settings.coingecko_plan,
        "rpc": {name: [endpoint.masked for endpoint in endpoints] for name, endpoints in settings.rpc.items()},
    }


def _masked_database(text: str) -> str:
    return mask_url(text) if text.startswith("postgresql") else text.partition("?")[0]


def _names() -> list[str]:
    return [PREFIX + name.upper() for name in Settings.model_fields if name != "rpc"]


def _is_rpc(name: str) -> bool:
    return name.startswith(RPC_PREFIX) and name != RPC_PREFIX


def _endpoints(text: str, place: Place) -> tuple[EndpointUrl, ...]:
    parts = [part for part in text.split(",") if part.strip()]
    if not parts:
        place.fault("only commas", "endpoints, apart by commas")
    read = [ENDPOINT.read(part, place) for part in parts]
    return tuple(endpoint for endpoint in read if known(endpoint))


def _validated(values: Mapping[str, Any], place: Place) -> Settings | None:
    try:
        return Settings(**values)
    except ValidationError as error:
        names = {str(fault["loc"][0]) for fault in error.errors(include_input=False, include_url=False)}
    for name in names:
        read = "a value that is not shown" if name in _SECRET else shown(values[name])
        place.at(PREFIX + name.upper()).fault(read, Settings.model_fields[name].description or "another value")
    return None
