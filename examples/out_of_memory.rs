//! A refused allocation is an error that names its family. All other memory stays usable.
//!
//! The program starts itself again with a limit of address space, as `ulimit -v` sets it.

use std::env;
use std::process::{Command, ExitCode};

use mm::{AllocError, MmBox, MmManaged};

#[derive(MmManaged)]
struct Row([u64; 128]);

/// The address space of the second run, in KiB.
const LIMIT: &str = "262144";

fn main() -> ExitCode {
    if env::args().nth(1).is_some() {
        fill_up();
        return ExitCode::SUCCESS;
    }
    let program = env::current_exe().expect("the program knows its own path");
    let status = Command::new("sh")
        .args(["-c", "ulimit -v \"$0\" && exec \"$1\" limited", LIMIT])
        .arg(program)
        .status()
        .expect("there is a shell");
    ExitCode::from(u8::from(!status.success()))
}

/// Allocates rows until no memory is left, and shows that the program can continue.
fn fill_up() {
    if let Err(refused) = Row::try_xcalloc(usize::MAX) {
        println!("{refused}");
    }

    let mut rows = Vec::with_capacity(1_000_000);
    let refused = loop {
        match MmBox::try_new(Row([7; 128])) {
            Ok(row) => rows.push(row),
            Err(refused) => break refused,
        }
    };
    println!("{refused}");
    assert!(matches!(refused, AllocError::OutOfMemory { .. }));

    let before = live_units();
    assert_eq!(before, rows.len() as u64);
    assert!(MmBox::try_new(Row([8; 128])).is_err());
    println!("figures unchanged: {}", live_units() == before);
    println!("rows intact: {}", rows.iter().all(|row| row.0 == [7; 128]));

    rows.truncate(rows.len() / 2);
    println!("half released: {}", live_units() == rows.len() as u64);
    rows.push(MmBox::new(Row([9; 128])));
    println!(
        "and another one fits: {}",
        live_units() == rows.len() as u64
    );
}

fn live_units() -> u64 {
    let snapshot = mm::snapshot();
    snapshot.family("Row").map_or(0, |row| row.live_units)
}
