"""Answers queries in KQL by duckdb-kql, over tables that stdin holds as JSON.

Input: {"tables": {name: {"columns": [{"name", "type"}], "rows": [[…]]}}, "queries": [text]}
Output: [{"rows": [[…]]} or {"error": text}], one for each query.
"""

import datetime
import decimal
import json
import sys

import duckdb_kql

TYPES = {
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
}


def cell(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat() + "Z"
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


def answer(connection, query):
    try:
        found = duckdb_kql.query(connection, query)
        return {"rows": [[cell(value) for value in row] for row in found.fetchall()]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    given = json.load(sys.stdin)
    connection = duckdb_kql.connect()
    for name, table in given["tables"].items():
        columns = table["columns"]
        kinds = ", ".join(f'"{one["name"]}" {TYPES[one["type"]]}' for one in columns)
        connection.sql(f"CREATE TABLE {name} ({kinds})")
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", table["rows"])
    json.dump([answer(connection, query) for query in given["queries"]], sys.stdout)


main()
