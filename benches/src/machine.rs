//! Where the figures are from.

use std::fs;
use std::process::Command;
use std::thread;

/// Returns a line with processor, kernel and compiler.
pub(crate) fn line() -> String {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let (processor, compiler) = (processor(), compiler());
    format!(
        "{cpus} CPUs, {processor}; Linux {}; {compiler}",
        kernel.trim()
    )
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split(": ").nth(1));
    name.unwrap_or(std::env::consts::ARCH).trim().to_owned()
}

/// Asks the compiler that cargo runs for its version.
fn compiler() -> String {
    let asked = Command::new("rustc").arg("--version").output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.unwrap_or_else(|_| "an unknown rustc".to_owned())
}
