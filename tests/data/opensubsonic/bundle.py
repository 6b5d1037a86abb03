"""Writes openapi.json anew: what is published of the OpenSubsonic API, in one file.

    python tests/data/opensubsonic/bundle.py CHECKOUT

CHECKOUT is one of https://github.com/opensubsonic/open-subsonic-api. What is for people is left
out, and so is how to sign in, of which tests have ways of their own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
_LEFT_OUT: Final = frozenset({"description", "externalDocs", "summary", "tags", "security"})
_OPTIONAL_KEYS: Final = frozenset({"properties"})


class Bundle:
    """A description that refers to nothing outside of itself."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.schemas: dict[str, Any] = {}
        self.responses: dict[str, Any] = {}

    def paths(self) -> dict[str, Any]:
        """Return all calls as paths."""
        return {
            f"/rest/{file.stem}": self._without(json.loads(file.read_text("utf-8")), file)
            for file in sorted((self._root / "endpoints").glob("*.json"))
        }

    def _without(self, value: Any, file: Path, *, of_names: bool = False) -> Any:
        if isinstance(value, list):
            return [self._without(each, file) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return {"$ref": self._take_in((file.parent / value["$ref"]).resolve())}
        return {
            key: self._without(each, file, of_names=key in _OPTIONAL_KEYS and not of_names)
            for key, each in value.items()
            if of_names or key not in _LEFT_OUT
        }

    def _take_in(self, file: Path) -> str:
        is_response = file.parent.name == "responses"
        kind = "responses" if is_response else "schemas"
        taken = self.responses if is_response else self.schemas
        if file.stem not in taken:
            # Before what it refers to, which may be itself.
            taken[file.stem] = None
            taken[file.stem] = self._without(json.loads(file.read_text("utf-8")), file)
            if is_response:
                taken[file.stem] = {"description": "", **taken[file.stem]}
        return f"#/components/{kind}/{file.stem}"


def main(checkout: Path) -> None:
    """Write the bundle."""
    root = (checkout / "openapi").resolve()
    bundle = Bundle(root)
    published = json.loads((root / "openapi.json").read_text("utf-8"))
    paths = bundle.paths()
    for operation in (each for path in paths.values() for each in path.values()):
        operation["responses"] = {
            status: response if "$ref" in response else {"description": "", **response}
            for status, response in operation["responses"].items()
        }
    whole = {
        "openapi": published["openapi"],
        "info": {key: published["info"][key] for key in ("title", "version")},
        "paths": paths,
        "schemas": bundle.schemas,
        "responses": bundle.responses,
    }
    (HERE / "openapi.json").write_text(_written(whole), "utf-8")


def _written(whole: dict[str, Any]) -> str:
    """Return it with a line for each call and each schema, so that changes can be seen."""
    parts = {name: _lines(whole.pop(name)) for name in ("paths", "schemas", "responses")}
    head = json.dumps(whole, ensure_ascii=False)[:-1]
    components = (
        f'"components": {{"schemas": {parts["schemas"]}, "responses": {parts["responses"]}}}'
    )
    return f'{head}, "paths": {parts["paths"]},\n{components}}}\n'


def _lines(values: dict[str, Any]) -> str:
    lines = (
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for name, value in sorted(values.items())
    )
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
