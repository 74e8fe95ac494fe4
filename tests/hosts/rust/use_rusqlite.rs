// rusqlite with its own SQLite ("bundled") and the feature "load_extension".
use rusqlite::{types::ValueRef, Connection, Result};
use std::{env, thread, time::Duration};

fn step(name: &str) {
    println!("= {name}");
}

fn print(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut line = Vec::new();
        for i in 0..columns {
            line.push(match row.get_ref(i)? {
                ValueRef::Integer(value) => value.to_string(),
                ValueRef::Real(value) => value.to_string(),
                ValueRef::Text(value) => String::from_utf8_lossy(value).into_owned(),
                other => format!("{other:?}"),
            });
        }
        println!("{}", line.join("\t"));
    }
    Ok(())
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let [_, extension, uri, query, check] = &arguments[..] else {
        panic!("four arguments");
    };
    let load = format!("SELECT load_extension('{extension}')");

    let connection = Connection::open_in_memory()?;
    step("sqlite");
    print(&connection, "SELECT sqlite_version()")?;
    unsafe {
        connection.load_extension_enable()?;
        connection.load_extension(extension, None::<&str>)?;
    }
    step("rows");
    print(&connection, query)?;
    run(&connection, &load)?;
    step("again");
    print(&connection, check)?;

    run(&connection, &format!("SELECT mlflow_connect('{uri}')"))?;
    let interrupt = connection.get_interrupt_handle();
    let timer = thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        interrupt.interrupt();
    });
    if let Err(error) = print(&connection, "SELECT count(*) FROM mlflow_traces") {
        step("interrupted");
        println!("{error}");
    }
    timer.join().unwrap();
    step("after");
    print(&connection, check)?;
    connection.close().map_err(|(_, error)| error)?;

    let connection = Connection::open_in_memory()?;
    unsafe { connection.load_extension_enable()? };
    {
        let mut statement = connection.prepare("SELECT 1 UNION ALL SELECT 2")?;
        let mut open = statement.query([])?;
        open.next()?;
        run(&connection, &load)?;
        step("open");
        print(&connection, check)?;
    }
    connection.close().map_err(|(_, error)| error)?;
    step("closed");
    Ok(())
}
