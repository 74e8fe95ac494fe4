# The gem holds Ruby's lock while a statement runs, so no other thread can interrupt it.
require "sqlite3"

extension, _, query, check = ARGV
LOAD = "SELECT load_extension('#{extension}')"

def step(name, rows = [])
  puts "= #{name}"
  rows.each { |row| puts row.join("\t") }
end

database = SQLite3::Database.new(":memory:")
step("sqlite", database.execute("SELECT sqlite_version()"))
database.enable_load_extension(true)
database.load_extension(extension)
step("rows", database.execute(query))
database.execute(LOAD)
step("again", database.execute(check))
database.close

database = SQLite3::Database.new(":memory:")
database.enable_load_extension(true)
open = database.query("SELECT 1 UNION ALL SELECT 2")
open.next
database.execute(LOAD)
step("open", database.execute(check))
open.close
database.close
step("closed")
