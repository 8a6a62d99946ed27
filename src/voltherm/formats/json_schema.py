"""JSON Schema (draft 2020-12) of the files that are read, for editors."""

import re
from typing import Any

from voltherm.formats.schema import Field, Section
from voltherm.formats.units import DIMENSIONS

_NUMBER = r"[+-]?(\d|\.\d)[\d_]*\.?\d*([eE][+-]?\d+)?"


def json_schema(section: Section, prefix: str = "") -> dict[str, Any]:
    """Schema of a section, in which nothing is required: `required_keys` says what is."""
    properties = {
        member.name: json_schema(member, f"{prefix}{member.name}.")
        if isinstance(member, Section)
        else _field_schema(member, f"{prefix}{member.name}")
        for member in section.members
    }
    return {
        "type": "object",
        "description": section.meaning,
        "properties": properties,
        "additionalProperties": False,
    }


def required_keys(section: Section) -> dict[str, Any]:
    """Schema that asks for every key without a default, here and in the sections within."""
    inner = {member.name: required_keys(member) for member in section.members if isinstance(member, Section)}
    needed = [
        member.name
        for member in section.members
        if (not member.optional if isinstance(member, Section) else member.default is None)
    ]
    return {"required": needed, **({"properties": inner} if inner else {})}


def _field_schema(field: Field, path: str) -> dict[str, Any]:
    if field.kind == "integer":
        bounds = {name: int(text) for name, text in (("minimum", field.minimum), ("maximum", field.maximum)) if text}
        return {"type": "integer", "description": field.meaning, **bounds}
    if field.phrases is not None:
        item = {
            "type": "object",
            "properties": {
                name: {"type": "string", "description": meaning} for name, meaning in field.phrases.keys.items()
            },
            "required": list(field.phrases.needed),
            "additionalProperties": False,
        }
        return {
            "description": field.meaning,
            "examples": [field.phrases.example],
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": [{"type": "string"}, item]}}],
        }
    if field.kind == "choice":
        # YAML reads a choice of digits as a number
        choices = [*field.choices, *(int(text) for text in field.choices if text.isdigit())]
        return {"description": field.meaning, "enum": choices}
    if field.kind == "text":
        return {"type": ["string", "number"], "description": field.meaning}
    units = list(DIMENSIONS[field.dimension])
    span = f"from {field.minimum or '-'} to {field.maximum or '-'}"
    described = {"description": f"{field.meaning} [{field.dimension}, {span}]"}
    if units == [""]:
        return {"type": ["number", "string"], **described}
    ending = "|".join(re.escape(unit) for unit in units)
    tolerance = rf"(\s*(\+/?-|±)\s*{_NUMBER}\s*[^\s\d]\S*)?" if field.movable else ""
    one = {"type": "string", "pattern": rf"^{_NUMBER}([\s,]+{_NUMBER})*\s*({ending}){tolerance}$"}
    if field.kind == "list":
        several = {"type": "array", "items": {"type": ["string", "number"]}}
        return {"anyOf": [one, several], "examples": [field.example(path)], **described}
    return {**one, "examples": [field.example(path)], **described}
