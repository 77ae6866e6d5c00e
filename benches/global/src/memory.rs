//! What the kernel says about the memory of this process.

use std::fs;

/// Returns the largest resident size so far, in MB (`VmHWM` of `proc_pid_status(5)`).
pub(crate) fn peak() -> f64 {
    field("VmHWM:")
}

/// Returns the resident size, in MB (`VmRSS` of `proc_pid_status(5)`).
pub(crate) fn resident() -> f64 {
    field("VmRSS:")
}

fn field(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.and_then(|kib| kib.parse().ok()).expect("a size in KiB");
    kib * 1_024.0 / 1e6
}
