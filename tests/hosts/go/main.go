// database/sql with mattn/go-sqlite3, which compiles SQLite into the program (cgo).
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func step(name string) { fmt.Println("=", name) }

func show(ctx context.Context, connection *sql.Conn, query string) error {
	rows, err := connection.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		for i, value := range values {
			if i > 0 {
				fmt.Print("\t")
			}
			fmt.Print(value)
		}
		fmt.Println()
	}
	return rows.Err()
}

func main() {
	extension, uri, query, check := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	sql.Register("sqlite3_with_mlflow", &sqlite3.SQLiteDriver{Extensions: []string{extension}})
	sql.Register("sqlite3_by_hand", &sqlite3.SQLiteDriver{
		ConnectHook: func(connection *sqlite3.SQLiteConn) error {
			rows, err := connection.Query("SELECT 1 UNION ALL SELECT 2", nil)
			must(err)
			must(connection.LoadExtension(extension, "sqlite3_mlflow_init"))
			return rows.Close()
		}})

	background := context.Background()
	database, err := sql.Open("sqlite3_with_mlflow", ":memory:")
	must(err)
	connection, err := database.Conn(background)
	must(err)
	step("sqlite")
	must(show(background, connection, "SELECT sqlite_version()"))
	step("rows")
	must(show(background, connection, query))
	must(connection.Raw(func(raw any) error {
		return raw.(*sqlite3.SQLiteConn).LoadExtension(extension, "sqlite3_extension_init")
	}))
	step("again")
	must(show(background, connection, check))

	step("connected")
	must(show(background, connection, fmt.Sprintf("SELECT mlflow_connect('%s')", uri)))
	soon, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	err = show(soon, connection, "SELECT count(*) FROM mlflow_traces")
	step("interrupted")
	fmt.Println(err)
	step("after")
	must(show(background, connection, check))
	must(connection.Close())
	must(database.Close())

	database, err = sql.Open("sqlite3_by_hand", ":memory:")
	must(err)
	connection, err = database.Conn(background)
	must(err)
	step("open")
	must(show(background, connection, check))
	must(connection.Close())
	must(database.Close())
	step("closed")
}
