"""The nginx of a site, in a real one, before nodes that say what they were asked."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.helpers.nginx import Nginx, changed, temp_paths
from tests.helpers.web import WebServer
from tests.mixtape.test_deploy import ask
from tests.mixtape.test_deploy_site import SITE, containers

ID = "0123456789abcdef" * 3
PARTS = 300_000


@dataclass
class Node:
    """A server that answers anything, and which requests it had."""

    server: WebServer
    asked: list[str] = field(default_factory=list)


@dataclass
class Site:
    """An nginx before some nodes."""

    port: int
    nodes: list[Node]

    def ask(self, target: str, **headers: str) -> http.client.HTTPResponse:
        with ask(self.port, target, **headers) as answer:
            answer.read()
        return answer

    def node_of(self, target: str) -> int:
        """Return the number of the node that is asked for something."""
        before = [len(node.asked) for node in self.nodes]
        assert self.ask(target).status == 200
        after = [len(node.asked) for node in self.nodes]
        assert sum(after) == sum(before) + 1
        return next(number for number, count in enumerate(after) if count > before[number])


def make_node(proxies: int) -> Node:
    app = Flask(__name__)
    node: Node

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def answer(path: str) -> Response:
        node.asked.append(request.full_path)
        if path.endswith(".mp3"):
            response = Response(bytes(PARTS), headers={"ETag": '"one"', "X-Accel-Expires": "60"})
            response.accept_ranges = "bytes"
            return response.make_conditional(request, accept_ranges=True, complete_length=PARTS)
        seen = f"{request.remote_addr} {request.scheme} {request.host}"
        return Response(seen, headers={"Seen": seen, "X-Accel-Buffering": "no"})

    fixed = ProxyFix(app, x_for=proxies, x_proto=proxies, x_host=proxies)
    node = Node(WebServer(fixed))
    return node


def configure(folder: Path, nodes: list[Node]) -> Callable[[int], str]:
    """Return what gives the configuration of a site for a port."""
    one = re.search(r"server \$\{WEB_NODES\} resolve (.+);", changed("site/nginx.conf", {}))
    assert one is not None
    # Debian's nginx is older than the one of the image, and knows no names that change.
    servers = (f"server 127.0.0.1:{node.server.port} {one[1]};" for node in nodes)
    changes = {
        one[0]: " ".join(servers),
        "${NGINX_LOCAL_RESOLVERS}": "127.0.0.1",
        "listen 8080;": "listen 127.0.0.1:{port};",
        "/var/cache/nginx": str(folder),
    }
    text = changed("site/nginx.conf", changes)
    user = "user root;" if os.geteuid() == 0 else ""  # else its children are nobody
    return lambda port: (
        f"{user} daemon off; pid {folder}/nginx.pid; error_log error.log; events {{}} http {{ "
        f"access_log off; {temp_paths(folder)} {text.replace('{port}', str(port))} }}"
    )


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Return a site of two nodes, which believe one proxy or as many as a test says."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    with ExitStack() as stack:
        nodes = [make_node(getattr(request, "param", 1)) for _ in range(2)]
        for node in nodes:
            stack.callback(node.server.stop)
        nginx = stack.enter_context(Nginx(folder, configure(folder, nodes)))
        yield Site(nginx.port, nodes)


TRACKS = [f"/mixtapes/a/tracks/{number}" for number in range(12)]
needs_nginx = pytest.mark.needs("nginx")


@needs_nginx
@pytest.mark.parametrize("prefix", ["", "/music"])
def test_a_track_in_any_quality_and_its_loudness_line_go_to_one_node(
    site: Site, prefix: str
) -> None:
    used = set()
    for track in TRACKS:
        parts = (f"{track}?quality=low", f"{track}?quality=high", f"{track}/loudness")
        found = {site.node_of(prefix + part) for part in parts}
        assert len(found) == 1
        used |= found
    assert used == {0, 1}


@needs_nginx
def test_another_node_answers_for_one_that_is_gone(site: Site) -> None:
    of_the_first = next(track for track in TRACKS if site.node_of(track) == 0)
    site.nodes[0].server.stop()
    assert [site.node_of(of_the_first) for _ in range(3)] == [1, 1, 1]


@needs_nginx
@pytest.mark.parametrize(
    ("site", "seen"),
    [(1, "127.0.0.1 http localhost:1"), (2, "203.0.113.9 https music.example")],
    indirect=["site"],
)
def test_as_many_proxies_as_a_node_trusts_say_who_a_visitor_is(site: Site, seen: str) -> None:
    said = {"For": "198.51.100.7, 203.0.113.9", "Proto": "https", "Host": "music.example"}
    forwarded = {f"X_Forwarded_{name}": value for name, value in said.items()}
    assert site.ask("/", Host="localhost:1", **forwarded).headers["Seen"] == seen


@needs_nginx
@pytest.mark.parametrize("prefix", ["", "/music"])
def test_what_others_may_keep_is_kept_for_its_signature_alone(site: Site, prefix: str) -> None:
    address = f"{prefix}/r/{ID}.mp3"
    for signature, asked in (("a", 1), ("a", 1), ("b", 2), ("a", 2)):
        answer = site.ask(f"{address}?e=1&s={signature}", Range="bytes=5-104")
        assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes 5-104/{PARTS}")
        assert sum(len(node.asked) for node in site.nodes) == asked


@needs_nginx
def test_another_nginx_before_it_learns_that_progress_is_not_to_be_kept_back(site: Site) -> None:
    assert site.ask("/editor/progress/a").headers["X-Accel-Buffering"] == "no"


def test_what_the_template_names_is_given_by_compose_and_by_the_cluster() -> None:
    text = changed("site/nginx.conf", {})
    named = set(re.findall(r"\$\{(\w+)\}", text)) - {"NGINX_LOCAL_RESOLVERS"}
    service, pod = SITE["services"]["nginx"], containers()["nginx"]
    there = {each["name"]: each["value"] for each in pod["env"]}
    # With that, the image's own script gives NGINX_LOCAL_RESOLVERS.
    assert set(service["environment"]) == set(there) == {*named, "NGINX_ENTRYPOINT_LOCAL_RESOLVERS"}
    assert service["environment"]["WEB_NODES"] == "web:5000"
    assert there["WEB_NODES"] == "web.mixtape.svc.cluster.local:5000"
    assert service["image"] == pod["image"]
