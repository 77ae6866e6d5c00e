//! Makes the input of the programs, once: 100 MB of JSON, 100 MB of SQL, and a tree of sources.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of each text.
const LENGTH: usize = 100_000_000;

/// Makes what is not there yet, and returns the folder with it.
///
/// # Errors
///
/// If cargo says nothing about the workspace, or a file cannot be written.
pub(crate) fn made() -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/input");
    fs::create_dir_all(&folder)?;
    make(&folder.join("json"), json)?;
    make(&folder.join("sql"), || Ok(sql()))?;
    let sources = folder.join("sources");
    if !sources.exists() {
        symlink(registry()?, sources)?;
    }
    Ok(folder)
}

/// Writes a file unless it is there, whole or not at all.
fn make(file: &Path, text: impl FnOnce() -> io::Result<String>) -> io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let unfinished = file.with_extension("unfinished");
    fs::write(&unfinished, text()?)?;
    fs::rename(unfinished, file)
}

/// Returns the folder where cargo unpacks packages.
fn registry() -> io::Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let user = env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let home = home.or(user).ok_or(io::ErrorKind::NotFound)?;
    home.join("registry/src").canonicalize()
}

/// Returns a list of what cargo says about mm's workspace, again and again.
fn json() -> io::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"),
        ])
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other("cargo metadata fails"));
    }
    let one = String::from_utf8_lossy(&output.stdout);
    let count = LENGTH / one.len();
    Ok(format!("[{}]", vec![one.trim(); count].join(",\n")))
}

/// Returns statements, one a line: rows that are inserted, and questions as reports ask them.
fn sql() -> String {
    let mut text = String::with_capacity(LENGTH + 4_096);
    let mut number = 0_u32;
    while text.len() < LENGTH {
        number = number.wrapping_add(1);
        let statement = match number % 4 {
            0 => insert(number),
            1 => revenue(number),
            2 => customers(number),
            _ => update(number),
        };
        writeln!(text, "{statement}").expect("text takes all");
    }
    text
}

fn insert(number: u32) -> String {
    let row = |place| {
        let id = number.wrapping_add(place);
        format!(
            "({id}, 'Customer#{id}', {}.{:02}, DATE '2026-0{}-1{}', NULL)",
            id % 10_000,
            id % 100,
            id % 9 + 1,
            id % 10
        )
    };
    let rows: Vec<String> = (0..number % 20 + 1).map(row).collect();
    format!(
        "INSERT INTO orders (id, customer, total, placed, shipped) VALUES {}",
        rows.join(", ")
    )
}

fn revenue(number: u32) -> String {
    format!(
        "SELECT n.name, SUM(l.price * (1 - l.discount)) AS revenue FROM customer c JOIN orders o ON c.id = o.customer \
         JOIN line l ON l.order_id = o.id LEFT JOIN nation n ON c.nation = n.id WHERE o.placed BETWEEN DATE \
         '2026-01-01' AND DATE '2026-12-31' AND l.quantity < {} AND n.region IN ('ASIA', 'EUROPE', 'R{number}') GROUP \
         BY n.name HAVING SUM(l.price) > {number} ORDER BY revenue DESC, n.name LIMIT 100",
        number % 50
    )
}

fn customers(number: u32) -> String {
    format!(
        "WITH late AS (SELECT customer, COUNT(*) AS times FROM orders WHERE shipped > placed + INTERVAL '{}' DAY GROUP \
         BY customer), best AS (SELECT id, name, ROW_NUMBER() OVER (PARTITION BY nation ORDER BY balance DESC) AS \
         place FROM customer) SELECT b.name, l.times, CASE WHEN l.times > 10 THEN 'often' WHEN l.times > {} THEN \
         'at times' ELSE 'rarely' END AS how FROM best b JOIN late l ON l.customer = b.id WHERE b.place <= 10 AND NOT \
         EXISTS (SELECT 1 FROM complaint WHERE complaint.customer = b.id AND text LIKE '%{number}%')",
        number % 30,
        number % 7
    )
}

fn update(number: u32) -> String {
    format!(
        "UPDATE part SET price = price * 1.0{}, changed = CURRENT_TIMESTAMP WHERE id = {number} AND (brand = 'Brand#{}' \
         OR container IN ('SM CASE', 'SM BOX', 'MED BAG')) AND size BETWEEN 1 AND {}",
        number % 9,
        number % 55,
        number % 40
    )
}
