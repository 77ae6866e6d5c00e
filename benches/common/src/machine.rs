//! The machine and the build that the figures come from.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

/// Returns a line with processor, kernel, compiler, and the profile of the build.
pub fn line() -> String {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let (kernel, processor) = (kernel.trim(), processor());
    let (compiler, profile) = (compiler(), profile());
    format!("{cpus} CPUs, {processor}; Linux {kernel}; {compiler}; profile {profile}")
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split(": ").nth(1));
    name.unwrap_or(env::consts::ARCH).trim().to_owned()
}

/// Returns the version of cargo's compiler.
fn compiler() -> String {
    let asked = Command::new("rustc").arg("--version").output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.unwrap_or_else(|_| "an unknown rustc".to_owned())
}

/// Returns the profile of the build: the name of the program's directory.
pub fn profile() -> String {
    let program = env::current_exe().unwrap_or_default();
    let directory = program.parent().and_then(Path::file_name);
    directory.unwrap_or_default().to_string_lossy().into_owned()
}
