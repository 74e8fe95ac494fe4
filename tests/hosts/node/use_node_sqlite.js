// node:sqlite runs a statement in JavaScript's only thread, so nothing in the program can
// interrupt it.
const { DatabaseSync } = require("node:sqlite");
const [extension, , query, check, divided] = process.argv.slice(2);

function step(name, rows = []) {
  console.log("=", name);
  for (const row of rows) console.log(Object.values(row).join("\t"));
}

function rows(database, sql) {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true); // *_ns does not fit a Number
  return statement.all();
}

let database = new DatabaseSync(":memory:", { allowExtension: true });
step("sqlite", rows(database, "SELECT sqlite_version()"));
database.loadExtension(extension);
step("rows", rows(database, query));
database.loadExtension(extension);
step("again", rows(database, check));
step("divided", database.prepare(divided).all());
database.close();

database = new DatabaseSync(":memory:", { allowExtension: true });
const open = database.prepare("SELECT 1 UNION ALL SELECT 2").iterate();
open.next();
database.loadExtension(extension);
step("open", rows(database, check));
database.close();
step("closed");
