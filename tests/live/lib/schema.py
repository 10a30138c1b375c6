# SPDX-License-Identifier: Apache-2.0
"""A small JSON Schema validator: the part of draft 2020-12 that share/schema.json uses.

An unknown keyword is an error, so the schema cannot say something that is silently not checked.
Rows of equal shape (same keys, same kinds of values) are validated once.
"""
import json
import os
import re

from . import process


class Failure(Exception):
    """The schema itself, or a row that was validated alone, is wrong."""

NOTES = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "format",
         "default", "deprecated"}
NOTES_OURS = "x-"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
_root = None


def path():
    for name in ("schema.json", "ndjson.schema.json"):
        candidate = os.path.join(process.TOP, "share", name)
        if os.path.exists(candidate):
            return candidate
    return None


def load():
    global _root
    if _root is None:
        found = path()
        if found is None:
            raise Failure("no JSON Schema in share/")
        with open(found) as f:
            _root = json.load(f)
    return _root


def _is(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def _resolve(schema, root):
    while "$ref" in schema:
        target = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        schema = dict(target, **{k: v for k, v in schema.items() if k != "$ref"})
    return schema


def _object(value, schema, root, at):
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield "%s: %s is missing" % (at, name)
    for name, item in value.items():
        hit = False
        if name in properties:
            hit = True
            yield from errors(item, properties[name], root, "%s.%s" % (at, name))
        for pattern, inner in patterns.items():
            if re.search(pattern, name):
                hit = True
                yield from errors(item, inner, root, "%s.%s" % (at, name))
        if not hit:
            rest = schema.get("additionalProperties", schema.get("unevaluatedProperties", True))
            if rest is False:
                yield "%s: %s is not in the schema" % (at, name)
            elif isinstance(rest, dict):
                yield from errors(item, rest, root, "%s.%s" % (at, name))


def _array(value, schema, root, at):
    if "items" in schema:
        for i, item in enumerate(value):
            yield from errors(item, schema["items"], root, "%s[%d]" % (at, i))
    if "contains" in schema and not any(not list(errors(i, schema["contains"], root, at)) for i in value):
        yield "%s: does not contain what it must" % at
    if schema.get("uniqueItems") and len(value) != len({json.dumps(v) for v in value}):
        yield "%s: not unique" % at
    if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
        yield "%s: %d items" % (at, len(value))


def _scalar(value, schema, at):
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield "%s: %r does not match %s" % (at, value, schema["pattern"])
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield "%s: length %d" % (at, len(value))
    if _is(value, "number"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield "%s: %r is out of range" % (at, value)
        if value <= schema.get("exclusiveMinimum", value - 1):
            yield "%s: %r is out of range" % (at, value)


def _combined(value, schema, root, at):
    for inner in schema.get("allOf", []):
        yield from errors(value, inner, root, at)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            each = [list(errors(value, inner, root, at)) for inner in schema[word]]
            right = sum(1 for e in each if not e)
            if right == 0 or (word == "oneOf" and right > 1):
                yield "%s: %d of %s hold; nearest: %s" % (at, right, word, "; ".join(min(each, key=len)[:3]))
    if "if" in schema:
        holds = not list(errors(value, schema["if"], root, at))
        if ("then" if holds else "else") in schema:
            yield from errors(value, schema["then" if holds else "else"], root, at)
    if "not" in schema and not list(errors(value, schema["not"], root, at)):
        yield "%s: holds what it must not" % at


KNOWN = NOTES | {"$ref", "type", "enum", "const", "properties", "patternProperties", "required",
                 "additionalProperties", "unevaluatedProperties", "items", "contains", "uniqueItems", "minItems",
                 "maxItems", "pattern", "minLength", "maxLength", "minimum", "maximum",
                 "exclusiveMinimum", "allOf", "oneOf", "anyOf", "if", "then", "else", "not"}


def errors(value, schema, root, at=""):
    if schema is True:
        return
    if schema is False:
        yield "%s: nothing is allowed here" % at
        return
    schema = _resolve(schema, root)
    unknown = [k for k in schema if k not in KNOWN and not k.startswith(NOTES_OURS)]
    if unknown:
        raise Failure("schema keyword %s at %s is not known to the validator" % (unknown, at or "top"))
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, n) for n in names):
            yield "%s: %r is not of type %s" % (at, value, names)
            return
    if "const" in schema and value != schema["const"]:
        yield "%s: %r is not %r" % (at, value, schema["const"])
    if "enum" in schema and value not in schema["enum"]:
        yield "%s: %r is none of %s" % (at, value, schema["enum"])
    if isinstance(value, dict):
        yield from _object(value, schema, root, at)
    elif isinstance(value, list):
        yield from _array(value, schema, root, at)
    else:
        yield from _scalar(value, schema, at)
    yield from _combined(value, schema, root, at)


def validate(value):
    found = list(errors(value, load(), load()))
    if found:
        raise Failure("schema: %s in %s" % ("; ".join(found[:3]), json.dumps(value)[:300]))


_seen = set()
wrong = []  # what does not fit, once each; the suite reports it as a case of its own


def validate_shapes(rows):
    """Each shape once: its keys with the kinds of their values, and the words that decide."""
    for row in rows:
        shape = tuple(sorted((k, type(v).__name__) for k, v in row.items()))
        shape += (row.get("kind"), row.get("outcome"), row.get("parcours.unobserved.cause"),
                  tuple(row.get("unobserved", ())))
        if shape in _seen:
            continue
        _seen.add(shape)
        for error in errors(row, load(), load()):
            if error not in wrong:
                wrong.append(error)


def shapes():
    return len(_seen)
