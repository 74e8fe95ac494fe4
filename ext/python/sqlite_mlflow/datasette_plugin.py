"""Loads the extension into each connection that Datasette opens, where both are installed."""

from datasette import hookimpl

import sqlite_mlflow


@hookimpl
def prepare_connection(conn):
    sqlite_mlflow.load(conn)
