from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import mixtape
from mixtape.web.module_preload import imported_modules
from tests.helpers.host import PAGE

STATIC = Path(mixtape.__file__).parent / "static"


def write(folder: Path, **scripts: str) -> Path:
    (folder / "js" / "deep").mkdir(parents=True)
    for name, content in scripts.items():
        (folder / "js" / f"{name.replace('__', '/')}.js").write_text(content, encoding="utf-8")
    return folder


def test_what_is_imported_through_others_is_found_once(tmp_path: Path) -> None:
    static = write(
        tmp_path,
        page='import { a } from "./a.js";\nimport {\n  b,\n  c,\n} from "./deep/b.js";\n',
        a='import { b } from "./deep/b.js";\n// import { x } from "./x.js";\n',
        deep__b='import { page } from "../page.js";\nexport { c } from "./c.js";\n',
        deep__c='const text = "./nothing.js";\n',
    )
    found = imported_modules(static, "page.js")
    assert sorted(found) == ["js/a.js", "js/deep/b.js", "js/deep/c.js", "js/page.js"]


@pytest.mark.parametrize("entry", ["app.js", "mixtape.js", "admin.js"])
def test_every_import_of_a_page_leads_to_a_file(entry: str) -> None:
    found = imported_modules(STATIC, entry)
    assert len(found) > 3
    assert [name for name in found if not (STATIC / name).is_file()] == []


def test_a_page_asks_for_its_scripts_at_once(client: FlaskClient) -> None:
    page = client.get("/admin", headers=PAGE).text
    told = re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page)
    assert set(told) == set(imported_modules(STATIC, "admin.js"))
