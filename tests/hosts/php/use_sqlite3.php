<?php
// Loads from the folder of php.ini's sqlite3.extension_dir alone, has no SELECT load_extension(),
// and no way to interrupt a statement.
[, $extension, , $query, $check] = $argv;

function step(string $name, ?SQLite3Result $rows = null): void
{
    echo "= $name\n";
    while ($rows && $row = $rows->fetchArray(SQLITE3_NUM)) {
        echo implode("\t", $row), "\n";
    }
}

$library = basename($extension) . ".so";
$database = new SQLite3(":memory:");
$database->enableExceptions(true);
step("sqlite", $database->query("SELECT sqlite_version()"));
$database->loadExtension($library);
step("rows", $database->query($query));
$database->loadExtension($library);
step("again", $database->query($check));
$database->close();

$database = new SQLite3(":memory:");
$open = $database->query("SELECT 1 UNION ALL SELECT 2");
$open->fetchArray();
$database->loadExtension($library);
step("open", $database->query($check));
$open->finalize();
$database->close();
step("closed");
