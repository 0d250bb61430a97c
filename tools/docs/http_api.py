"""The page of the HTTP API, made of the OpenAPI document that a node serves."""

import json

HEAD = """# The HTTP API

Every call, as a node describes itself: `GET /api/v1/openapi.json`, which client generators read, and `/api/docs`, where a browser can
try each call out. Made with version {version}.

{description}

Every call takes `timeout_ms`; reads take `consistency`. A token, where one is needed, comes as `Authorization: Bearer sk_concord_...` or as
`X-API-Key`. Every call may be answered by {common}; what else may go wrong stands with each, and what it means [at the end](#errors).
"""
COMMON = {"timeout_ms"}  # said once, at the top
METHODS = ["get", "put", "post", "delete"]


class Document:
    def __init__(self, openapi):
        self.openapi = openapi

    def resolved(self, node):
        """A reference's target, with what stands beside the reference."""
        while "$ref" in node:
            target = self.openapi
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
        return node

    def type_of(self, schema):
        schema = self.resolved(schema)
        if "const" in schema:
            return json.dumps(schema["const"])
        if "enum" in schema:
            return " or ".join(f"`{word}`" for word in schema["enum"])
        kind = schema.get("type", "any JSON")
        if isinstance(kind, list):
            kind = " or ".join(kind)
        if kind.startswith("array") and "items" in schema:
            return f"array of {self.type_of(schema['items'])}"
        bounds = [f"from {schema['minimum']}" if schema.get("minimum") else "",
                  f"to {schema['maximum']}" if schema.get("maximum", 2**53) < 2**53 else ""]
        return " ".join([kind, *filter(None, bounds)])

    def fields(self, schema, depth=0, seen=()):
        """A line for each member, those of members inside below it."""
        schema = self.resolved(schema)
        for name, field in schema.get("properties", {}).items():
            whole = self.resolved(field)
            needed = ", required" if name in schema.get("required", []) else ""
            told = f": {cell(whole['description'])}" if whole.get("description") else ""
            yield f"{'    ' * depth}- `{name}` ({self.type_of(field)}{needed}){told}"
            inner = self.resolved(whole.get("items", whole))
            if inner.get("properties") and id(inner) not in seen and depth < 4:
                yield from self.fields(inner, depth + 1, (*seen, id(inner)))


def cell(text):
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "\\<")


def errors_of(told):
    return {status for status in told["responses"] if status >= "4"}


def linked(errors):
    return ", ".join(f"[{status}](#error-{status})" for status in sorted(errors))


def operation(document, method, path, told, common):
    yield f"### {method.upper()} {path}\n"
    yield f"**{told['summary']}**\n" if not told["summary"].endswith(".") else told["summary"] + "\n"
    if told.get("description"):
        yield told["description"] + "\n"
    parameters = [one for one in map(document.resolved, told.get("parameters", [])) if one["name"] not in COMMON]
    if parameters:
        yield "| parameter | in | value | meaning |\n| --- | --- | --- | --- |"
        for one in parameters:
            yield f"| `{one['name']}` | {one['in']} | {cell(document.type_of(one['schema']))} | {cell(one.get('description', ''))} |"
        yield ""
    for media_type, body in told.get("requestBody", {}).get("content", {}).items():
        lines = list(document.fields(body["schema"]))
        yield f"Body, `{media_type}`{'' if lines else '.'}" + (":\n" if lines else "\n")
        yield from lines
        yield ""
    for status, answer in sorted(told["responses"].items()):
        if not status.startswith(("2", "3")):
            continue
        answer = document.resolved(answer)
        for media_type, body in answer.get("content", {"": {}}).items():
            lines = list(document.fields(body.get("schema", {})))
            where = f", `{media_type}`" if media_type else f": {answer['description']}"
            yield f"Answer {status}{where}{':' if lines else ''}\n"
            yield from lines
            yield ""
    if errors_of(told) - common:
        yield f"Errors: {linked(errors_of(told) - common)}\n"


def page(openapi):
    document = Document(openapi)
    common = set.intersection(*(errors_of(told) for methods in openapi["paths"].values() for told in methods.values()))
    lines = [HEAD.format(version=openapi["info"]["version"], description=openapi["info"]["description"], common=linked(common))]
    by_tag = {}
    for path, methods in openapi["paths"].items():
        for method in METHODS:
            if method in methods:
                by_tag.setdefault((methods[method].get("tags") or ["other"])[0], []).append((method, path, methods[method]))
    for tag, operations in by_tag.items():
        lines.append(f"## {tag[0].upper()}{tag[1:]}\n")
        for one in operations:
            lines += operation(document, *one, common)
    lines.append("## Errors\n\nThe body is `{\"status\":\"error\",\"error\":{\"code\":\"...\",\"message\":\"...\"}}`; the message names what was wrong.\n")
    for status, response in sorted(openapi["components"]["responses"].items()):
        lines.append(f"### Error {status}\n\n{response['description']}\n")
    return "\n".join(lines)
