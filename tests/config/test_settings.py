"""The environment: every name, its default, what is refused, and what is never shown."""

import pytest

from loyalty.config import load_settings, masked_settings, rpc_variable
from loyalty.core.errors import Invalid, InvalidFile

SECRETS = {
    "LOYALTY_COINGECKO_KEY": "hunter-of-coins",
    "LOYALTY_ADMIN_KEY": "hunter1-admin",
    "LOYALTY_DATABASE": "postgresql+psycopg://loyal:hunter2@db.example:5432/points?password=hunter3",
    "LOYALTY_RPC_BASE": "https://u:hunter4@base.example/hunter5?key=hunter6",
}


def test_the_defaults_are_the_documented_ones():
    settings = load_settings({}, None)
    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 8000, "loyalty.db")
    assert (settings.log_level, settings.log_format, settings.cors_origins) == ("info", "text", ())
    assert (settings.program, settings.admin_key, settings.rpc) == (None, None, {})
    assert (str(settings.backup_folder), settings.backups_kept) == ("backups", 10)


def test_every_name_is_read():
    settings = load_settings(
        {
            "LOYALTY_PROGRAM": "p.toml",
            "LOYALTY_DATABASE": "/data/a.db",
            "LOYALTY_HOST": "::1",
            "LOYALTY_PORT": "81",
            "LOYALTY_ADMIN_KEY": "s3cret",
            "LOYALTY_CORS_ORIGINS": "https://a.example, http://b.example:3000",
            "LOYALTY_RPC_ARBITRUM_ONE": "http://a/x,file:rec.gz",
            "LOYALTY_LOG_LEVEL": "DEBUG",
            "LOYALTY_LOG_FORMAT": "json",
            "LOYALTY_BACKUP_FOLDER": "/backups",
            "LOYALTY_BACKUPS_KEPT": "3",
            "HOME": "/not/looked/at",
        },
        None,
    )
    assert (str(settings.program_path), settings.database, settings.host) == ("p.toml", "/data/a.db", "::1")
    assert (settings.port, settings.log_level, settings.log_format) == (81, "debug", "json")
    assert (str(settings.backup_folder), settings.backups_kept) == ("/backups", 3)
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == "s3cret"
    assert settings.cors_origins == ("https://a.example", "http://b.example:3000")
    assert [each.get_secret_value() for each in settings.rpc[rpc_variable("arbitrum-one")]] == [
        "http://a/x",
        "file:rec.gz",
    ]


def test_the_process_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOYALTY_PORT", "82")
    (tmp_path / ".env").write_text("LOYALTY_PORT=83\nLOYALTY_HOST=0.0.0.0\n")
    settings = load_settings()
    assert (settings.port, settings.host) == (82, "0.0.0.0")


def test_the_environment_file_takes_values_as_they_stand(tmp_path):
    path = tmp_path / "env"
    path.write_text(
        "# comment\nexport LOYALTY_ADMIN_KEY='a$b${c}#d' # mine\nLOYALTY_PORT=\nOTHER=x\n"
        "LOYALTY_RPC_A=https://a.example/k#1\n"
    )
    settings = load_settings({}, path)
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == "a$b${c}#d"
    assert settings.port == 8000
    assert settings.rpc["LOYALTY_RPC_A"][0].get_secret_value() == "https://a.example/k#1"


def test_an_unreadable_line_of_the_environment_file_is_told_by_its_number_only(tmp_path):
    path = tmp_path / "env"
    path.write_text("LOYALTY_PORT=1\nLOYALTY_ADMIN_KEY hunter2\nLOYALTY_HOST\n")
    with pytest.raises(InvalidFile) as caught:
        load_settings({}, path)
    assert caught.value.faults == (
        "line 2: read something else; expected NAME=value",
        "line 3: read something else; expected NAME=value",
    )


def test_an_environment_file_that_is_a_folder_is_refused(tmp_path):
    with pytest.raises(Invalid, match="make it a readable file"):
        load_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LOYALTY_PORT", "0", 'read "0"; expected a whole number from 1 to 65535'),
        ("LOYALTY_PORT", "tcp://10.0.0.1:80", "read a text with a URL; expected a whole number from 1 to 65535"),
        ("LOYALTY_BACKUPS_KEPT", "0", 'read "0"; expected a whole number from 1 to 10000'),
        ("LOYALTY_PROT", "1", "read an unknown name; expected LOYALTY_PORT (the nearest known name)"),
        ("LOYALTY_LOGLEVEL", "info", "read an unknown name; expected LOYALTY_LOG_LEVEL (the nearest known name)"),
        ("loyalty_port", "1", "read an unknown name; expected LOYALTY_PORT (the nearest known name)"),
        ("LOYALTY_LOG_LEVEL", "loud", 'read "loud"; expected debug, info, warning or error'),
        ("LOYALTY_LOG_FORMAT", "xml", 'read "xml"; expected text or json'),
        (
            "LOYALTY_CORS_ORIGINS",
            "app.example",
            'read "app.example"; expected origins such as https://app.example.org without a path, apart by commas, '
            'or "*"',
        ),
        (
            "LOYALTY_ADMIN_KEY",
            "hunter 2",
            "read a value that is not shown; expected a key of ASCII letters, digits and signs, without spaces",
        ),
        (
            "LOYALTY_DATABASE",
            "mysql://u:hunter2@h/d",
            "read a value that is not shown; expected the path of a SQLite file, or a URL sqlite:///… or postgresql://…",
        ),
        (
            "LOYALTY_DATABASE",
            "postgresql://u:hunter2@h:port/d",
            "read a value that is not shown; expected the path of a SQLite file, or a URL sqlite:///… or postgresql://…",
        ),
        (
            "LOYALTY_RPC_A",
            "wss://a/hunter2",
            "read a URL that starts with wss:; expected http://…, https://… or file:…",
        ),
        ("LOYALTY_RPC_A", " , ", "read only commas; expected endpoints, apart by commas"),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_without_secrets(name, value, fault):
    with pytest.raises(InvalidFile) as caught:
        load_settings({name: value}, None)
    assert caught.value.faults == (f"{name}: {fault}",)
    assert caught.value.exit_code == 2


def test_all_faults_of_the_environment_are_told_at_once():
    with pytest.raises(InvalidFile) as caught:
        load_settings({"LOYALTY_PORT": "x", "LOYALTY_HOTS": "y", "LOYALTY_RPC_A": "z", "LOYALTY_LOG_FORMAT": "w"}, None)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "LOYALTY_HOTS",
        "LOYALTY_LOG_FORMAT",
        "LOYALTY_PORT",
        "LOYALTY_RPC_A",
    ]


def test_no_writing_of_the_settings_shows_a_secret():
    settings = load_settings(SECRETS, None)
    assert "hunter" not in f"{settings} {settings!r} {masked_settings(settings)}"
    assert masked_settings(settings) == {
        "program": None,
        "database": "postgresql+psycopg://…@db.example:5432/…",
        "host": "127.0.0.1",
        "port": 8000,
        "admin_key": "set",
        "cors_origins": [],
        "log_level": "info",
        "log_format": "text",
        "backup_folder": "backups",
        "backups_kept": 10,
        "backup_hours": 24.0,
        "refresh_seconds": 60.0,
        "coingecko_key": "set",
        "coingecko_plan": "demo",
        "rpc": {"LOYALTY_RPC_BASE": ["https://…@base.example/…"]},
    }


def test_a_command_that_needs_a_program_says_what_to_set():
    with pytest.raises(Invalid, match="set LOYALTY_PROGRAM"):
        _ = load_settings({}, None).program_path
