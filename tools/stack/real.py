"""The real Keystone and Glance of a stack, in the place of the stand-ins: MININOVA_IDENTITY and MININOVA_IMAGE.

They come from PyPI into an environment of their own, .openstack, since they want libraries of their own.  Each keeps a
SQLite file in the home and listens on this machine only.  mininova asks them through mininova/real.
"""

import configparser
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from mininova.plugins.paste import OURS
from stack import clouds, ports, processes
from stack.errors import StackError
from stack.home import Home
from stack.progress import Progress
from stack.settings import CHECKOUT, Settings
from stack.supervisor import Program

KEYSTONE, GLANCE = "keystone", "glance"
ENVIRONMENT = CHECKOUT / ".openstack"
WANTED = "keystone>=29,<30 glance>=32,<33 waitress>=3.0.1,<4"

REGION = "RegionOne"
DOMAIN = "default"
SERVICE_PROJECT = "service"  # whose members are the services
INTERFACES = ("public", "internal")


# ---- installing them


def install(progress: Progress) -> None:
    """Install the services, and what mininova needs to ask them.

    :raises StackError: when pip cannot
    """
    if find_spec("keystonemiddleware") is None:
        progress.say("Installing what asks a real Keystone into .venv.")
        _pip(Path(sys.executable), "-e", f"{CHECKOUT}[real]")
    stamp = ENVIRONMENT / ".wanted"
    if not stamp.exists() or stamp.read_text() != WANTED:
        progress.say("Installing Keystone and Glance into .openstack.")
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        _pip(ENVIRONMENT / "bin/python", *WANTED.split())
        stamp.write_text(WANTED)


def _pip(python: Path, *words: str) -> None:
    command: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise StackError(f"pip could not install {' '.join(words)}; its complaint is above.")


# ---- what they and mininova read


def write_files(home: Home, settings: Settings) -> None:
    """Write the configuration of the services, and the Paste file that names them to mininova."""
    if settings.keystone_port:
        for folder in _key_folders(home):
            _make_keys(home, folder)
        _write_ini(home, _keystone_file(home), _keystone_conf(home))
        _write_paste(home, settings)
    if settings.glance_port:
        for name in ("store", "staging", "tasks"):
            (_state(home, GLANCE) / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_ini(home, _glance_file(home), _glance_conf(home, settings))


def paste_file(home: Home) -> Path:
    """Name the Paste file of a stack with real services."""
    return home.etc / "api-paste.ini"


def account(home: Home, settings: Settings, user: str) -> dict[str, object]:
    """Say as whom a service has tokens checked: its section [keystone_authtoken]."""
    who = {"username": user, "password": clouds.password(home, user), "project_name": SERVICE_PROJECT}
    return {"auth_url": settings.auth_url, **who}


def _keystone_conf(home: Home) -> Mapping[str, Mapping[str, object]]:
    tokens, receipts, credentials = _key_folders(home)
    return {
        "DEFAULT": {"use_stderr": "true"},
        "database": {"connection": f"sqlite:///{_databases(home)[0]}"},
        "fernet_tokens": {"key_repository": tokens},
        "fernet_receipts": {"key_repository": receipts},
        "credential": {"key_repository": credentials},
        "cache": {"enabled": "true", "backend": "oslo_cache.dict"},
        "identity": {"password_hash_rounds": 4},  # the passwords are random: more rounds would protect no better
    }


def _glance_conf(home: Home, settings: Settings) -> Mapping[str, Mapping[str, object]]:
    state = _state(home, GLANCE)
    fixed = {"auth_type": "password", "user_domain_name": "Default", "project_domain_name": "Default"}
    checked = {"www_authenticate_uri": settings.auth_url, "service_token_roles_required": "true"}
    return {
        "DEFAULT": {"use_stderr": "true", "enabled_backends": "files:file"},
        "database": {"connection": f"sqlite:///{_databases(home)[1]}"},
        "glance_store": {"default_backend": "files"},
        "files": {"filesystem_store_datadir": state / "store"},
        "os_glance_staging_store": {"filesystem_store_datadir": state / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": state / "tasks"},
        "keystone_authtoken": {**account(home, settings, GLANCE), **fixed, **checked},
        "paste_deploy": {"flavor": "keystone", "config_file": ENVIRONMENT / "etc/glance/glance-api-paste.ini"},
    }


def _write_paste(home: Home, settings: Settings) -> None:
    """Write mininova's Paste file with the lines of the real services in it, and without those of their stand-ins."""
    paste = configparser.RawConfigParser(strict=False, delimiters=("=",))
    paste.optionxform = str  # type: ignore[assignment,method-assign]
    paste.read(settings.paste_config or OURS, encoding="utf-8")
    paste["filter:authtoken"]["paste.filter_factory"] = "mininova.real.keystone:filter_factory"
    paste["app:compute_app"]["project_service"] = "mininova.real.keystone:project_service"
    del paste["composite:services"]["/identity"], paste["standin:keystone"]
    if settings.glance_port:
        for app in ("app:compute_app", "app:volume_app"):
            paste[app]["image_service"] = "mininova.real.glance:image_service"
        del paste["composite:services"]["/image"], paste["standin:glance"]
    draft = home.etc / "api-paste.ini.new"
    with draft.open("w", encoding="utf-8") as file:
        paste.write(file)
    draft.replace(paste_file(home))


def _write_ini(home: Home, path: Path, sections: Mapping[str, Mapping[str, object]]) -> None:
    lines = []
    for section, options in sections.items():
        lines += [f"[{section}]", *(f"{name} = {str(value).replace('$', '$$')}" for name, value in options.items()), ""]
    path.parent.mkdir(exist_ok=True)
    home.write_private(path, "\n".join(lines))


def _make_keys(home: Home, folder: Path) -> None:
    """Make what Keystone signs with, as keystone-manage fernet_setup does: key 1 signs, and key 0 will.

    Source: https://docs.openstack.org/keystone/latest/admin/fernet-token-faq.html
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("0", "1"):
        if not (folder / name).exists():
            home.write_private(folder / name, Fernet.generate_key().decode())


def _databases(home: Home) -> tuple[Path, Path]:
    return _state(home, KEYSTONE) / "keystone.sqlite", _state(home, GLANCE) / "glance.sqlite"


def _state(home: Home, service: str) -> Path:
    return home.root / service


def _key_folders(home: Home) -> tuple[Path, Path, Path]:
    keys = _state(home, KEYSTONE)
    return keys / "fernet-keys", keys / "receipt-keys", keys / "credential-keys"


def _keystone_file(home: Home) -> Path:
    return home.etc / "keystone/keystone.conf"


def _glance_file(home: Home) -> Path:
    return home.etc / "glance/glance-api.conf"


# ---- running them


def programs(home: Home, settings: Settings) -> Iterator[Program]:
    """Describe the services, in the order in which they start."""
    if settings.keystone_port:
        config = f"OS_KEYSTONE_CONFIG_FILES={_keystone_file(home)}"
        yield _program(KEYSTONE, config, "keystone.wsgi.api", settings.keystone_port)
    if settings.glance_port:
        config = f"OS_GLANCE_CONFIG_DIR={_glance_file(home).parent}"
        yield _program(GLANCE, config, "glance.wsgi.api", settings.glance_port)


def names(settings: Settings) -> list[str]:
    """Name the services that this stack has."""
    return [name for name, port in ((KEYSTONE, settings.keystone_port), (GLANCE, settings.glance_port)) if port]


def _program(name: str, config: str, module: str, port: int) -> Program:
    serve = str(Path(__file__).with_name("serve_wsgi.py"))
    return Program(name, ("/usr/bin/env", config, str(ENVIRONMENT / "bin/python"), serve, module, str(port)))


def prepare(home: Home, settings: Settings, environ: Mapping[str, str]) -> None:
    """Make the tables and keys of the services, and the first administrator; what is there is left as it is.

    :raises StackError: when a command of theirs fails
    """
    keystone = "keystone-manage", "--config-file", str(_keystone_file(home))
    plain = processes.plain_environment(environ)
    for file in _databases(home)[: len(names(settings))]:
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA journal_mode=WAL")  # the file keeps it: who reads holds up nobody who writes
    _manage(plain, *keystone, "db_sync")
    first = {"OS_BOOTSTRAP_PASSWORD": clouds.password(home, "admin")}
    urls = [word for kind in INTERFACES for word in (f"--bootstrap-{kind}-url", settings.auth_url)]
    _manage({**plain, **first}, *keystone, "bootstrap", "--bootstrap-region-id", REGION, *urls)
    if settings.glance_port:
        _manage(plain, "glance-manage", "--config-file", str(_glance_file(home)), "db_sync")


def _manage(environ: Mapping[str, str], name: str, *words: str) -> None:
    command: list[str | Path] = [ENVIRONMENT / "bin" / name, *words]
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=0o077)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StackError(f"{name} {words[2]} failed: {' '.join(said)}")


# ---- what a cloud begins with


#: user → the project and the roles there.  Keystone's own bootstrap makes admin.
USERS = {
    "demo": ("demo", ("member",)),
    "nova": (SERVICE_PROJECT, ("admin", "service")),
    GLANCE: (SERVICE_PROJECT, ("admin", "service")),
}


def fill(home: Home, settings: Settings) -> None:
    """Make the users, their projects and roles, and the catalog, in the Keystone that runs."""
    with _admin(home) as cloud:
        keystone = cloud.identity
        roles, users, projects = (
            {it.name: it for it in there()} for there in (keystone.roles, keystone.users, keystone.projects)
        )
        for name in {project for project, _ in USERS.values()} - projects.keys():
            projects[name] = keystone.create_project(name=name, domain_id=DOMAIN)
        for name, (project, granted) in USERS.items():
            if name not in users:
                secret = clouds.password(home, name)
                users[name] = keystone.create_user(name=name, password=secret, domain_id=DOMAIN)
            for role in granted:
                keystone.assign_project_role_to_user(projects[project], users[name], roles[role])
        _fill_catalog(keystone, settings)


def _admin(home: Home) -> Any:
    """Give the SDK's connection as the administrator, untyped: the SDK says that its Keystone may be of v2, too."""
    import openstack  # which takes a second, and few stacks want it

    config = openstack.config.OpenStackConfig(config_files=[str(home.clouds)]).get_one("mininova-admin")
    return openstack.connection.Connection(config=config)


def _fill_catalog(keystone: Any, settings: Settings) -> None:
    """Enter the services, or where each is now."""
    services = {service.type: service.id for service in keystone.services()}
    endpoints = {(endpoint.service_id, endpoint.interface): endpoint for endpoint in keystone.endpoints()}
    for type_, name, url in _catalog(settings):
        id = services.get(type_) or keystone.create_service(type=type_, name=name).id
        for interface in INTERFACES:
            known = endpoints.get((id, interface))
            if known is None:
                keystone.create_endpoint(service_id=id, interface=interface, region_id=REGION, url=url)
            elif known.url != url:
                keystone.update_endpoint(known, url=url)


def _catalog(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Give type, name and URL of each service but Keystone, which enters itself."""
    from mininova.standins.keystone import catalog

    for type_, name, path in catalog.BUILT_IN:
        if type_ == "image" and settings.glance_port:
            yield type_, name, f"http://{ports.LOOPBACK}:{settings.glance_port}"
        elif type_ != "identity":
            yield type_, name, settings.api_url + path


def upload_image(home: Home) -> None:
    """Give the Glance that runs the image of the stand-in, unless it has one of that name."""
    from mininova.standins.glance.bootstrap import CIRROS

    with _admin(home) as cloud:
        if cloud.image.find_image("cirros") is None:
            formats = {"container_format": "bare", "disk_format": "raw", "visibility": "public"}
            cloud.image.create_image("cirros", data=CIRROS, **formats, allow_duplicates=True)
