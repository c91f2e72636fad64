"""The configuration as JSON Schema, for editors: made of the models, so that it says the same.

It cannot say all that `load` checks: what several keys decide together, what a secret's form names,
and how numbers are spelt. What it refuses, `load` refuses too.

Source:
    JSON Schema, draft 2020-12.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from openparallax.config.models import File
from openparallax.config.settings import DEFAULT_ENGINE, Catalog
from openparallax.errors import ConfigError

Schema = dict[str, Any]

_VARIABLE: Final[Schema] = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "${NAME} or ${NAME:-default}: a variable of the environment",
}
_FORMS: Final = (
    "; a secret: as text, ${NAME}, credential:NAME or file:PATH, or with _env after the key the"
    " name of an environment variable"
)
_NOISE: Final = frozenset({"title", "uniqueItems", "writeOnly", "format"})
_OF_A_SCALAR: Final = frozenset(
    {"type", "enum", "const", "pattern", "minLength", "maxLength", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)


def schema(engines: Catalog, stages: Catalog, sentences: Mapping[str, str]) -> Schema:
    """Describe the whole file; imports every plugin that is installed.

    Of a plugin that cannot be imported, or whose model cannot be described, all settings are
    allowed.

    Args:
        engines: The engines that are installed.
        stages: The stages that are installed.
        sentences: What the daemon says, by name.
    """
    top = _described(File, "{model}")
    defs: dict[str, Schema] = top.pop("$defs")
    engine = {"anyOf": [_engine(name, engines, defs) for name in sorted(engines)]}
    pipeline = _pipeline(stages, defs)
    top["properties"]["engine"] |= engine
    top["properties"]["pipeline"] |= pipeline
    aside = defs["OffTheRecordSection"]["properties"]
    aside["engine"] |= {"anyOf": [*engine["anyOf"], {"type": "null"}]}
    aside["pipeline"] |= {"anyOf": [dict(pipeline), {"type": "null"}]}
    del top["properties"]["engine"]["default"], top["properties"]["pipeline"]["default"]
    top["properties"]["notices"] |= {
        "properties": {
            name: {"type": "string", "minLength": 1, "default": sentence}
            for name, sentence in sentences.items()
        },
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of OpenParallax",
        **top,
        "$defs": defs,
    }


def _engine(name: str, engines: Catalog, defs: dict[str, Schema]) -> Schema:
    place = _place("engine", name)
    own = _settings(engines, name, place, defs)
    kind: Schema = {"description": "which engine answers", "anyOf": [{"const": name}, _VARIABLE]}
    if name == DEFAULT_ENGINE:
        kind["default"] = name
    else:
        own["required"] = ["type", *own.get("required", [])]
    own["properties"] = {"type": kind, **own.get("properties", {})}
    return _kept(own, place, defs)


def _pipeline(stages: Catalog, defs: dict[str, Schema]) -> Schema:
    kinds: list[Schema] = [{"enum": sorted(stages)}, _VARIABLE]
    for name in sorted(stages):
        place = _place("stage", name)
        own = _kept(_settings(stages, name, place, defs), place, defs)
        kinds.append(
            {
                "type": "object",
                "properties": {name: {"anyOf": [own, {"type": "null"}]}},
                "required": [name],
                "additionalProperties": False,
            }
        )
    return {"type": "array", "items": {"anyOf": kinds}}


def _place(kind: str, name: str) -> str:
    # A slash or a per cent sign would mean something in a reference.
    return f"{kind}.{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"


def _kept(own: Schema, name: str, defs: dict[str, Schema]) -> Schema:
    defs[name] = own
    return {"$ref": f"#/$defs/{name}"}


def _settings(catalog: Catalog, name: str, prefix: str, defs: dict[str, Schema]) -> Schema:
    try:
        own = _described(catalog[name], f"{prefix}.{{model}}")
    except (ConfigError, PydanticInvalidForJsonSchema):
        return {"type": "object"}
    defs |= {f"{prefix}.{inner}": value for inner, value in own.pop("$defs", {}).items()}
    return own


class _Quiet(GenerateJsonSchema):
    """Says nothing of defaults that JSON cannot show: the person at the keyboard cannot help it."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        pass


def _described(model: type[BaseModel], name: str) -> Schema:
    return _adapted(
        model.model_json_schema(ref_template=f"#/$defs/{name}", schema_generator=_Quiet)
    )


def _adapted(node: Schema) -> Schema:
    """What pydantic says of a model, said of the file: secrets in their forms, variables."""
    out = {key: value for key, value in node.items() if key not in _NOISE}
    for key in ("properties", "$defs"):
        if key in node:
            out[key] = {name: _adapted(inner) for name, inner in node[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = _adapted(node[key])
    for key in ("anyOf", "allOf", "oneOf", "prefixItems"):
        if key in node:
            out[key] = [_adapted(inner) for inner in node[key]]
    for name, inner in node.get("properties", {}).items():
        if _is_secret(inner):
            _put_secret(out, name, inner)
    return _or_variable(out)


def _or_variable(node: Schema) -> Schema:
    """Let ``${NAME}`` stand where a number, a truth value or a text of a certain form is wanted."""
    own = {key: value for key, value in node.items() if key in _OF_A_SCALAR}
    is_plain = own.keys() <= {"type"} and own.get("type") in {None, "string"}
    if is_plain or own.get("type") in {"object", "array", "null"}:
        return node
    return {
        **{key: value for key, value in node.items() if key not in _OF_A_SCALAR},
        "anyOf": [own, _VARIABLE],
    }


def _is_secret(node: Schema) -> bool:
    inner = [node, *node.get("anyOf", []), *([node["items"]] if "items" in node else [])]
    return any(isinstance(one, dict) and one.get("format") == "password" for one in inner)


def _put_secret(out: Schema, name: str, given: Schema) -> None:
    one: Schema = {"type": "string", "minLength": 1}
    variable: Schema = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
    if given.get("type") == "array":
        most = {"minItems": 1} | {key: given[key] for key in ("maxItems",) if key in given}
        one = {"anyOf": [one, {"type": "array", "items": one, **most}]}
        variable = {"anyOf": [variable, {"type": "array", "items": variable, **most}]}
    meaning = given.get("description", name)
    out["properties"][name] = {"description": f"{meaning}{_FORMS}", **one}
    out["properties"][f"{name}_env"] = {
        "description": f"the environment variable that holds {name}: {meaning}",
        **variable,
    }
    # It may also come from a variable or a credential that the file does not name.
    out["required"] = [other for other in out.get("required", []) if other != name]
    out.setdefault("allOf", []).append({"not": {"required": [name, f"{name}_env"]}})
