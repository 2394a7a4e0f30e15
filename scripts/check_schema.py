#!/usr/bin/env python3
"""Validates YAML documents against the JSON Schema of the configuration, using the package jsonschema from PyPI.

    check_schema.py SCHEMA < DOCUMENTS     DOCUMENTS: a JSON array of texts

Prints a JSON array with one entry per document: its validation errors, or null if it is valid. Exits with 77 if
jsonschema or PyYAML is not installed.
"""
import json
import pathlib
import sys

try:
    import jsonschema
    import yaml
    from config_yaml import read_yaml
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it", file=sys.stderr)
    sys.exit(77)


def main() -> int:
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    objections = []
    for text in json.load(sys.stdin):
        try:
            errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(read_yaml(text))]
        except yaml.YAMLError as error:
            errors = [f"invalid YAML: {error}"]
        objections.append("; ".join(errors) or None)
    json.dump(objections, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
