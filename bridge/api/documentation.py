"""``/openapi.json``, and the same for people at ``/docs``: one page that loads nothing else."""

import html
import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

Json = dict[str, Any]

DOCUMENT: web.AppKey[Json] = web.AppKey("document")

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
code, pre {{ font: 14px/1.4 ui-monospace, monospace }}
pre {{ background: #8881; padding: .75rem; overflow-x: auto }}
table {{ border-collapse: collapse }} td {{ padding: .1rem 1rem .1rem 0; vertical-align: top }}
summary {{ cursor: pointer; padding: .25rem 0 }} :root {{ color-scheme: light dark }}
</style>
<h1>{title}</h1><p>{summary} HTTP Basic: Auth ID and Auth Token.
The same for programs: <a href="openapi.json">openapi.json</a>.</p>
{operations}<h2>Schemas</h2>{schemas}
</html>
"""


async def openapi(request: web.Request) -> web.Response:
    return web.json_response(request.app[DOCUMENT])


async def page(request: web.Request) -> web.Response:
    text = _page(request.app[DOCUMENT])
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _page(document: Json) -> str:
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        f'<details id="{html.escape(name)}"><summary><code>{html.escape(name)}</code></summary>'
        f"<pre>{html.escape(json.dumps(schema, indent=2))}</pre></details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    info = document["info"]
    return _PAGE.format(
        title=html.escape(info["title"]),
        summary=html.escape(info["summary"]),
        operations=operations,
        schemas=schemas,
    )


def _operation(method: str, path: str, operation: Json) -> str:
    rows = "".join(
        f"<tr><td>{kind}<td><code>{html.escape(name)}</code><td>{_schema(schema)}"
        for kind, name, schema in _parts(operation)
    )
    return (
        f"<details><summary><code>{method.upper()} {html.escape(path)}</code> "
        f"{html.escape(operation['summary'])}</summary><table>{rows}</table></details>"
    )


def _parts(operation: Json) -> Iterator[tuple[str, str, Json]]:
    """Everything that goes in and comes out: what it is, its name, its schema."""
    for parameter in operation["parameters"]:
        yield parameter["in"], parameter["name"], parameter["schema"]
    if "requestBody" in operation:
        yield "body", "", operation["requestBody"]["content"]["application/json"]["schema"]
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json", {})
        yield "answer", f"{status} {response['description']}", content.get("schema", {})


def _schema(schema: Json) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    kept = {name: value for name, value in schema.items() if name != "title"}
    return f"<code>{html.escape(json.dumps(kept))}</code>" if kept else ""
