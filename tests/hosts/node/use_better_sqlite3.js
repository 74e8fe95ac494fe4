// better-sqlite3 runs a statement in JavaScript's only thread, so nothing in the program can
// interrupt it.
const Database = require("better-sqlite3");
const [extension, , query, check, divided] = process.argv.slice(2);

function step(name, rows = []) {
  console.log("=", name);
  for (const row of rows) console.log(row.join("\t"));
}

function rows(database, sql) {
  return database.prepare(sql).raw().safeIntegers().all(); // *_ns does not fit a Number
}

let database = new Database(":memory:");
step("sqlite", rows(database, "SELECT sqlite_version()"));
database.loadExtension(extension);
step("rows", rows(database, query));
database.loadExtension(extension);
step("again", rows(database, check));
step("divided", database.prepare(divided).raw().all());
database.close();
step("closed");
