"""The files of deploy/ for a site of several hosts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from audio_cache.settings import knobs
from conftest import find_program
from mixtape.settings import Settings
from tests.helpers.nginx import DEPLOY, temp_paths
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


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_a_web_node_and_a_worker_accept_their_settings(kind: str, tmp_path: Path) -> None:
    done = start(kind, tmp_path, PASSWORD="plum anvil tide seven", SECRET_KEY="0123456789" * 4)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["celery", "1"]


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_a_site_does_not_start_with_the_secrets_of_the_example(kind: str, tmp_path: Path) -> None:
    for own in ({"SECRET_KEY": "0123456789" * 4}, {"PASSWORD": "plum anvil tide seven"}):
        done = start(kind, tmp_path, **own)
        assert done.returncode != 0
        assert "what the example says" in done.stderr


def test_the_commands_of_the_services_exist() -> None:
    commands = {name: each["command"] for name, each in nodes().items()}
    assert commands == {"web": ["mixtape", "serve"], "worker": ["audio-cache", "worker"]}
    arguments = [
        container["args"][:2]
        for each in CLUSTER
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    ]
    assert arguments == [["mixtape", "serve"], ["audio-cache", "worker"]]


def test_a_site_has_two_web_nodes_and_three_workers() -> None:
    replicas = {name: each["deploy"]["replicas"] for name, each in nodes().items()}
    assert replicas == {"web": 2, "worker": 3}
    assert set(SITE["services"]) >= {"redis", "postgres", "s3", "nginx"}


def test_what_the_image_copies_is_there_and_what_it_installs_has_hashes() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    root = DEPLOY.parent
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for name in line.split():
            assert (root / name).exists(), name
            assert f"!{name}" in (DEPLOY / "Containerfile.dockerignore").read_text("utf-8")
    locked = (root / "requirements-site.lock").read_text("utf-8")
    for package in ("celery", "redis", "obstore", "psycopg", "gunicorn", "hatchling"):
        assert re.search(rf"^{package}==.+\\$", locked, re.MULTILINE), package


@pytest.mark.needs("nginx")
def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "site" / "nginx.conf").read_text("utf-8")
    # Debian's nginx is older than the one of the image, and knows no names that change.
    text = text.replace("server web:5000 resolve max", "server 127.0.0.1:5000 max")
    text = text.replace("/var/cache/nginx", str(tmp_path))
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; events {{}} "
        f"http {{ access_log off; {temp_paths(tmp_path)} {text} }}"
    )
    program = find_program("nginx")
    assert program is not None
    done = subprocess.run(
        [program, "-t", "-c", str(config), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_kubernetes_takes_the_manifests(tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for each in CLUSTER:
        validate.validate(json.loads(json.dumps(each)), "1.33", strict=True)
