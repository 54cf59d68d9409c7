"""Checks the routes of the server and its recorded answers against docs/api.yaml.

usage: check_api.py API.yaml EXCHANGES.json
EXCHANGES: {"routes": [{method, path, right}], "exchanges": [{method, path, url, status, type, body}]}

       check_api.py API.yaml --schema NAME LINES.ndjson
Checks each line against one schema of the document.
"""

import json
import sys

import jsonschema
import yaml


def main(api_file, exchange_file):
    with open(api_file, encoding="utf-8") as file:
        api = yaml.safe_load(file)
    with open(exchange_file, encoding="utf-8") as file:
        given = json.load(file)
    problems = []

    described = {}
    for path, item in api["paths"].items():
        named = {p.get("name") or resolve(api, p["$ref"])["name"] for p in item.get("parameters", [])}
        used = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        if named != used:
            problems.append(f"{path}: parameters {named} are described, {used} stand in the path")
        for method, operation in item.items():
            if method != "parameters":
                described[(method.upper(), path)] = operation

    served = {(route["method"], route["path"]): route["right"] for route in given["routes"]}
    for key in served.keys() - described.keys():
        problems.append(f"{key}: served, not described")
    for key in described.keys() - served.keys():
        problems.append(f"{key}: described, not served")
    for key, operation in described.items():
        if key in served and operation.get("x-right") != served[key]:
            problems.append(f"{key}: x-right is {operation.get('x-right')}, the server asks for {served[key]}")
        if ("403" in operation["responses"]) != (operation.get("x-right") == "operate"):
            problems.append(f"{key}: 403 must be described exactly for operations")

    for exchange in given["exchanges"]:
        key = (exchange["method"], exchange["path"])
        where = f"{exchange['method']} {exchange['url']} -> {exchange['status']}"
        responses = described.get(key, {}).get("responses", {})
        response = responses.get(str(exchange["status"]))
        if response is None:
            problems.append(f"{where}: this status is not described")
            continue
        response = resolve(api, response["$ref"]) if "$ref" in response else response
        content = response["content"].get(exchange["type"])
        if content is None:
            problems.append(f"{where}: type {exchange['type']} is not described")
            continue
        # References are resolved against the whole document.
        schema = {**api, **content["schema"]}
        bodies = exchange["body"].splitlines() if exchange["type"].endswith("ndjson") else [exchange["body"]]
        for body in bodies:
            for error in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(body)):
                problems.append(f"{where}: {error.json_path}: {error.message[:200]}")
            unknown = undescribed(api, content["schema"], json.loads(body), "$")
            problems += [f"{where}: {path} is not described" for path in unknown]

    print("\n".join(problems) or f"{len(served)} routes, {len(given['exchanges'])} exchanges")
    return 1 if problems else 0


def check_lines(api_file, name, lines_file):
    with open(api_file, encoding="utf-8") as file:
        api = yaml.safe_load(file)
    schema = {"$ref": f"#/components/schemas/{name}"}
    problems = []
    with open(lines_file, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    for number, value in enumerate(lines, 1):
        for error in jsonschema.Draft202012Validator({**api, **schema}).iter_errors(value):
            problems.append(f"line {number}: {error.json_path}: {error.message[:200]}")
        problems += [f"line {number}: {path} is not described" for path in undescribed(api, schema, value, "$")]
    print("\n".join(problems) or f"{len(lines)} lines")
    return 1 if problems else 0


def resolve(api, reference):
    node = api
    for part in reference.lstrip("#/").split("/"):
        node = node[part]
    return node


def undescribed(api, schema, value, path):
    """Members that the schema does not name: the description must not fall behind the server."""
    while "$ref" in schema:
        schema = resolve(api, schema["$ref"])
    if isinstance(value, list) and "items" in schema:
        return [p for n, element in enumerate(value) for p in undescribed(api, schema["items"], element, f"{path}[{n}]")]
    properties = schema.get("properties")
    if not isinstance(value, dict) or properties is None:
        return []
    found = []
    for name, member in value.items():
        if name in properties:
            found += undescribed(api, properties[name], member, f"{path}.{name}")
        elif "additionalProperties" not in schema:
            found.append(f"{path}.{name}")
    return found


if __name__ == "__main__":
    if sys.argv[2] == "--schema":
        sys.exit(check_lines(sys.argv[1], sys.argv[3], sys.argv[4]))
    sys.exit(main(sys.argv[1], sys.argv[2]))
