"""The API's description (OpenAPI 3.1), made from the table that makes the routes."""

import json
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import pydantic
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from bridge.api.answers.fields import Error
from bridge.api.operations import Operation

Json = dict[str, Any]
_Model = type[pydantic.BaseModel]

_PARAMETER = re.compile(r"\{(\w+)\}")
_BASIC = "basic"
_TEMPLATE = "#/components/schemas/{model}"
_ALWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
)


def describe(operations: Sequence[Operation]) -> Json:
    """The whole document."""
    references, definitions = models_json_schema(list(_models(operations)), ref_template=_TEMPLATE)
    paths: Json = {}
    for operation in operations:
        paths.setdefault(f"{operation.path}/" if not operation.public else operation.path, {})[
            operation.method.lower()
        ] = _operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Masking bridge",
            "summary": "Two people call each other; neither sees the other's number.",
            "version": version("masking-bridge"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": _referenced(definitions["$defs"], paths),
            "securitySchemes": {
                _BASIC: {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Auth ID as user, Auth Token as password.",
                }
            },
        },
        "security": [{_BASIC: []}],
    }


def _referenced(schemas: Json, paths: Json) -> Json:
    """Without those that a field's own schema has taken the place of."""
    text = json.dumps([schemas, paths])
    return {
        name: schema
        for name, schema in schemas.items()
        if f'"{_TEMPLATE.format(model=name)}"' in text
    }


def _models(operations: Iterable[Operation]) -> Iterable[tuple[_Model, JsonSchemaMode]]:
    yield Error, "serialization"
    for operation in operations:
        if operation.body:
            yield operation.body, "validation"
        for answer in filter(None, (operation.returns, operation.tries)):
            yield answer, "serialization"


def _operation(operation: Operation, references: Any) -> Json:
    described: Json = {
        "summary": operation.summary,
        "operationId": operation.name,
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": _responses(operation, references),
    }
    if operation.body:
        schema = references[operation.body, "validation"]
        described["requestBody"] = {"required": True, "content": _json(schema)}
    if operation.public:
        described["security"] = []
    return described


def _responses(operation: Operation, references: Any) -> Json:
    """What the operation gives by itself, and what any of its kind may give."""
    success: Json = {"description": operation.success.phrase}
    if operation.returns:
        success["content"] = _json(references[operation.returns, "serialization"])
    elif operation.media_type:
        success["content"] = {operation.media_type: {"schema": {"type": "string"}}}
    responses = {str(operation.success.value): success}
    if operation.tries:
        responses[str(HTTPStatus.OK.value)] = {
            "description": "Only tried",
            "content": _json(references[operation.tries, "serialization"]),
        }
    failures = [*operation.failures]
    # One that anybody may ask tells the same in good and in bad health.
    failure = operation.returns if operation.public and operation.returns else Error
    if not operation.public:
        failures += [*_ALWAYS, HTTPStatus.SERVICE_UNAVAILABLE]
    if operation.body or operation.query:
        failures.append(HTTPStatus.BAD_REQUEST)
    if operation.body:
        failures.append(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    for status in sorted(failures):
        responses[str(status.value)] = {
            "description": status.phrase,
            "content": _json(references[failure, "serialization"]),
        }
    return responses


def _path_parameters(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]


def _query_parameters(query: _Model | None) -> list[Json]:
    if query is None:
        return []
    properties = query.model_json_schema(ref_template=_TEMPLATE)["properties"]
    return [
        # An empty one is the same as none, for SDKs send what was not given as empty.
        {
            "name": name,
            "in": "query",
            "required": False,
            "allowEmptyValue": True,
            "schema": schema,
        }
        for name, schema in properties.items()
    ]


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
