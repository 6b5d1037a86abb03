"""The files of deploy/ for a site of several hosts."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from audio_cache.settings import knobs
from mixtape.settings import Settings
from tests.helpers.host import make_app
from tests.helpers.mixtape_serve import MixtapeServe
from tests.helpers.nginx import DEPLOY
from tests.helpers.waiting import LIMIT_S

OUTSIDE = {
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ROOT_ACCESS_KEY",
    "ROOT_SECRET_KEY",
}
KNOWN = {knob.name for knob in knobs()} | {name.upper() for name in Settings.model_fields} | OUTSIDE
SITE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
CLUSTER: list[dict[str, Any]] = list(
    yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
)
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / "site.env.example").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)


# What a site needs of its owner's own.
OWN = {
    "PASSWORD": "plum anvil tide seven",
    "SECRET_KEY": "0123456789" * 4,
    "AWS_SECRET_ACCESS_KEY": "9876543210" * 4,
    "DATABASE_URL": "postgresql://mixtape:of-our-own@postgres/mixtape",
}


def nodes() -> dict[str, dict[str, Any]]:
    """Return the services that run our image."""
    return {name: each for name, each in SITE["services"].items() if each["image"] == "mixtape"}


def environment_of(kind: str) -> dict[str, str]:
    """Return the settings of a kind of objects of the cluster."""
    return {
        name: value
        for each in CLUSTER
        if each["kind"] == kind
        for name, value in {**each.get("data", {}), **each.get("stringData", {})}.items()
    }


def test_every_setting_of_the_deployments_exists() -> None:
    named = set(EXAMPLE) | set(environment_of("ConfigMap")) | set(environment_of("Secret"))
    for service in nodes().values():
        named |= set(service["environment"])
    assert named <= KNOWN


def start(kind: str, folder: Path, **own: str) -> subprocess.CompletedProcess[str]:
    """Read the settings as a node of a site does, with some values of its owner's own."""
    if kind == "compose":
        given = {**EXAMPLE, **nodes()["web"]["environment"], **nodes()["worker"]["environment"]}
    else:
        given = {**environment_of("ConfigMap"), **environment_of("Secret")}
    code = (
        "from audio_cache import AudioCacheSettings; from mixtape.settings import load_settings;"
        "print(AudioCacheSettings().engine, load_settings().trusted_proxies)"
    )
    paths = {"MUSIC_ROOT": str(folder), "DATA_ROOT": str(folder.parent / "data")}
    search = {"PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**search, "HOST": "0.0.0.0", **paths, **given, **own},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize(("kind", "proxies"), [("compose", "1"), ("kubernetes", "2")])
def test_a_web_node_and_a_worker_accept_their_settings(
    kind: str, proxies: str, tmp_path: Path
) -> None:
    done = start(kind, tmp_path, **OWN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["celery", proxies]


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_a_site_does_not_start_with_the_secrets_of_the_example(kind: str, tmp_path: Path) -> None:
    secrets = EXAMPLE if kind == "compose" else environment_of("Secret")
    for name in OWN.keys() & secrets.keys():
        own = {other: value for other, value in OWN.items() if other != name}
        done = start(kind, tmp_path, **own)
        assert done.returncode != 0, name
        assert "what the example says" in done.stderr
        assert name in done.stderr


def containers() -> dict[str, dict[str, Any]]:
    """Return the containers of the cluster, by name."""
    return {
        container["name"]: container
        for each in CLUSTER
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    }


COMMANDS = {
    **{f"compose {name}": each["command"] for name, each in nodes().items()},
    **{f"kubernetes {name}": containers()[name]["args"] for name in ("web", "worker")},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_and_options_of_the_nodes_exist(name: str) -> None:
    program, *arguments = COMMANDS[name]
    place = Path(sys.executable).with_name(program)
    done = subprocess.run(
        [place, *arguments, "--help"], capture_output=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{program} {arguments[0]} " in done.stdout.decode()


def test_the_health_check_tells_a_server_that_plays_from_none(tmp_path: Path, music: Path) -> None:
    with MixtapeServe(music, tmp_path / "data") as server:
        assert run_health_check(server.address) == 0
    assert run_health_check(server.address) != 0


def run_health_check(address: str) -> int:
    """Run what compose asks a node, at another address, and return its status."""
    kind, program, *arguments = nodes()["web"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    assert any("http://127.0.0.1:5000/" in each for each in arguments)
    here = [each.replace("http://127.0.0.1:5000", address) for each in arguments]
    done = subprocess.run(
        [sys.executable, *here], capture_output=True, timeout=LIMIT_S, check=False
    )
    return done.returncode


def test_a_pod_is_neither_ended_nor_passed_over_where_its_database_fails(tmp_path: Path) -> None:
    client = make_app(tmp_path).test_client()
    with sqlite3.connect(tmp_path / "data" / "mixtape.db") as database:
        database.execute("DROP TABLE alembic_version")
    database.close()
    found = {}
    for kind in ("startup", "readiness", "liveness"):
        probe = containers()["web"][f"{kind}Probe"]
        with client.get(probe["httpGet"]["path"]) as answer:
            found[kind] = answer.status_code
    assert found == {"startup": 503, "readiness": 200, "liveness": 200}


def test_a_site_has_two_web_nodes_and_three_workers() -> None:
    replicas = {name: each["deploy"]["replicas"] for name, each in nodes().items()}
    assert replicas == {"web": 2, "worker": 3}
    assert set(SITE["services"]) >= {"redis", "postgres", "s3", "nginx"}


def test_what_the_image_copies_is_there_and_what_it_installs_has_hashes() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    root = DEPLOY.parent
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert len(copied) == 2
    for line in copied:
        for name in line.split():
            assert (root / name).exists(), name
            assert f"!{name}" in (DEPLOY / "Containerfile.dockerignore").read_text("utf-8")
    locked = (root / "requirements-site.lock").read_text("utf-8")
    for package in ("celery", "redis", "obstore", "psycopg", "gunicorn", "hatchling"):
        assert re.search(rf"^{package}==.+\\$", locked, re.MULTILINE), package


def test_the_image_leaves_out_what_only_builds_it() -> None:
    locked = (DEPLOY.parent / "requirements-site.lock").read_text("utf-8")
    if f"\nhatchling=={metadata.version('hatchling')} " not in locked:
        pytest.skip("what is installed here is not what the image installs")
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    left_out = re.search(r" uninstall --yes (.+) \\\n", text)
    assert left_out is not None
    groups = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    site = {f"audio-cache[{name}]" for name in ("celery", "postgres", "redis", "s3")}
    needless = needed(groups["dependency-groups"]["build"]) - needed(site)
    assert set(left_out[1].split()) == needless


def needed(requirements: Iterable[str]) -> set[str]:
    """Return the names of all that something needs here, by what is installed."""
    found: set[tuple[str, str]] = set()
    todo = [(Requirement(each), "") for each in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *requirement.extras):
            name = canonicalize_name(requirement.name)
            if (name, wanted) not in found:
                found.add((name, wanted))
                inner = metadata.requires(name) or []
                todo += [(Requirement(each), wanted) for each in inner]
    return {name for name, _ in found}


def test_kubernetes_takes_the_manifests(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for each in CLUSTER:
        validate.validate(json.loads(json.dumps(each)), "1.33", strict=True)
