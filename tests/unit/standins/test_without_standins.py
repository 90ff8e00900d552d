"""mininova without its stand-ins: if the folder is deleted, only the lines of api-paste.ini that name it must go."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documentation import ROOT

from mininova.plugins.paste import OURS

IMPORT_ALL = """
import importlib, pkgutil, mininova
for module in pkgutil.walk_packages(mininova.__path__, "mininova."):
    importlib.import_module(module.name)
    print(module.name)
"""

SERVE = """
import argparse, sys
from mininova import conf
from mininova.db.session import Database
from mininova.manage import bootstrap
from mininova.plugins.paste import paste_file
from mininova.wsgi import Parts, Request, load_app
folder = sys.argv[1]
settings = {"state_path": folder, "api.paste_config": f"{folder}/paste.ini"}
passwords = {"admin_password": None, "demo_password": None, "nova_password": None}
empty = argparse.Namespace(**passwords, upgrade=True, compute=[])
bootstrap.run(conf.for_tests("manage", **settings), empty)
api = conf.for_tests("api", **settings)
parts = Parts(api, Database(api.database.connection), None, None, None)
app = load_app(paste_file(api.api.paste_config), "mininova", parts)
headers = {"X-Identity-Status": "Confirmed", "X-User-Id": "ann", "X-Project-Id": "ours", "X-Roles": "member"}
for path in ("/compute/v2.1/flavors", "/identity/v3", "/image/v2/images"):
    answer = Request.blank(path, headers=headers).get_response(app)
    print("answer", path, answer.status_int, len(answer.json["flavors"]) if answer.status_int == 200 else "")
"""


@pytest.fixture
def package(tmp_path):
    """Copy the package without mininova/standins, and give a function that runs a script with it."""
    shutil.copytree(ROOT / "mininova", tmp_path / "mininova", ignore=shutil.ignore_patterns("standins", "__pycache__"))

    def run(script: str):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def without_stand_ins(original: str) -> configparser.RawConfigParser:
    """Remove the lines that name the stand-ins from a Paste file, and give the removed lines."""
    file = configparser.RawConfigParser()
    file.read_string(original)
    gone = set()
    for name in file.sections():
        for key, value in file.items(name):
            if value.startswith("mininova.standins"):
                file.remove_option(name, key)
        if not file.items(name):
            file.remove_section(name)
            gone.add(name.partition(":")[2])
    for name in [name for name in file.sections() if name.startswith("pipeline:")]:
        *filters, app = file[name]["pipeline"].split()
        if app in gone:
            file.remove_section(name)
            gone.add(name.partition(":")[2])
        else:
            file[name]["pipeline"] = " ".join([*(each for each in filters if each not in gone), app])
    for name in (name for name in file.sections() if name.startswith("composite:")):
        for path, pipeline in file.items(name):
            if pipeline in gone:
                file.remove_option(name, path)
    return file


def test_every_other_module_can_be_imported(package):
    """Each module of the package but the stand-ins is imported, in a process that has no other mininova."""
    imported = set(package(IMPORT_ALL))
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "mininova").rglob("*.py"))
    all_modules = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"mininova"}
    assert imported == {name for name in all_modules if not name.startswith("mininova.standins")}


def test_an_api_without_them(package, tmp_path):
    """Without those lines, the tables and flavors are made, and the Compute API alone answers."""
    with open(tmp_path / "paste.ini", "w") as file:
        without_stand_ins(OURS.read_text()).write(file)
    assert "standins" not in Path(tmp_path / "paste.ini").read_text()
    answers = [line.split(maxsplit=1)[1] for line in package(SERVE) if line.startswith("answer")]
    assert [answer.split() for answer in answers] == [
        ["/compute/v2.1/flavors", "200", "5"], ["/identity/v3", "404"], ["/image/v2/images", "404"],
    ]  # fmt: skip
