"""What a program in a clean environment is told of this machine: a list of what is let in, and a home of its own.

Tests, imports and builds are anybody's code and get no more than that. Only what fetches requirements is also told
where packages come from: an address may hold a token.
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from roadworthy import processes
from roadworthy.tables import parse_toml, read_text

# What the system, its compilers and its certificates need; on Windows names have no case.
SYSTEM = re.compile(
    r"PATH(EXT)?|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|PROGRAM(FILES|DATA|W6432)\S*|(NUMBER_OF_)?PROCESSORS?(_\w+)?|LANG"
    r"|LC_\w+|TZ|TE?MP|TMPDIR|SSL_CERT_(FILE|DIR)|(REQUESTS_CA|CURL_CA)_BUNDLE|RUSTUP_(HOME|TOOLCHAIN)",
    re.IGNORECASE,
)
PROXIES = re.compile(r"(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
# Where packages come from, and how uv gets there: in the environment, and in a uv.toml.
ORIGINS = re.compile(
    r"UV_((DEFAULT_|EXTRA_)?INDEX\w*|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|INSECURE_HOST|(NATIVE_TLS|SYSTEM_CERTS)"
    r"|OFFLINE|HTTP_\w+|CREDENTIALS_DIR)|NETRC"
)
ORIGIN_KEYS = re.compile(
    r"((extra-)?index(-url|-strategy)?|find-links|no-index|keyring-provider|allow-insecure-host|native-tls|system-certs"
    r"|offline)"
)


def own_variables(home: Path, *, fetches: bool = False) -> dict[str, str]:
    """Return the whole environment of a program whose home is `home`, which is made.

    With `fetches` it is to fetch what is required, and does nothing else.
    """
    home.mkdir(parents=True, exist_ok=True)
    proxies = {name: value for name, value in os.environ.items() if PROXIES.fullmatch(name)}
    own = {
        **{name: value for name, value in os.environ.items() if SYSTEM.fullmatch(name)},
        # A password may stand before the host's name.
        **{name: value for name, value in proxies.items() if fetches or "@" not in value},
        **dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(home)),
        # Else rustup would look for its toolchains in the new home.
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_CONFIG_FILE": os.devnull,
        # Bytecode is a file that no artefact brought.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if not fetches:
        return {**own, "UV_NO_CONFIG": "1"}
    settings = home / "uv.toml"
    # With other separators, JSON is the inline form of what TOML has.
    to_toml = json.JSONEncoder(ensure_ascii=False, separators=(", ", " = ")).encode
    settings.write_text("".join(f"{key} = {to_toml(value)}\n" for key, value in read_origins().items()), "utf-8")
    # What is fetched by hash, or from an index that has one file of a name, is the same from the cache.
    own |= {"NETRC": str(Path.home() / ".netrc"), "UV_CACHE_DIR": cache_folder(), "UV_CONFIG_FILE": str(settings)}
    return own | {name: value for name, value in os.environ.items() if ORIGINS.fullmatch(name)}


def read_origins() -> dict[str, Any]:
    """Return what uv's own files say of where packages come from, the user's before the system's."""
    roaming = os.environ.get("APPDATA") if os.name == "nt" else os.environ.get("XDG_CONFIG_HOME")
    everybodys = os.environ.get("PROGRAMDATA", "") if os.name == "nt" else "/etc"
    folders = [Path(roaming) if roaming else Path.home() / ".config", Path(everybodys)]
    given = os.environ.get("UV_CONFIG_FILE")
    found: dict[str, Any] = {}
    for file in [Path(given)] if given else [folder / "uv" / "uv.toml" for folder in folders]:
        if given or file.is_file():
            table = parse_toml(str(file), read_text(file.parent, file.name))
            for key, value in {**table.get("pip", {}), **table}.items():
                if ORIGIN_KEYS.fullmatch(key):
                    found[key] = [*found.get(key, []), *value] if isinstance(value, list) else found.get(key, value)
    return found


@cache
def cache_folder() -> str:
    """Return the folder in which uv keeps what it has fetched."""
    return processes.run(processes.find_uv(), "cache", "dir", cwd=Path.home(), env=os.environ).stdout.strip()
