//! What the kernel knows of a process.

use std::fs;
use std::mem;
use std::time::Duration;

/// Prints a figure for the program that started this one.
pub(crate) fn print(name: &str, figure: f64) {
    println!("{name}\t{figure}");
}

/// Prints the CPU time and the largest resident size of this process, and a figure that two allocators must agree on.
pub(crate) fn print_usage(answer: u64) {
    print("CPU s", cpu_time().as_secs_f64());
    print("peak MB", peak());
    println!("answer\t{answer}");
}

/// Returns the CPU time of all threads of the process so far.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the address is that of a `timespec` that only this function uses.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has the clock of a process");
    let seconds = u64::try_from(time.tv_sec).expect("no process has used less than nothing");
    Duration::new(
        seconds,
        u32::try_from(time.tv_nsec).expect("a second has fewer"),
    )
}

/// Returns the largest resident size of this process so far, in MB (`VmHWM` of `proc_pid_status(5)`).
pub(crate) fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.and_then(|kib| kib.parse().ok()).expect("a size in KiB");
    kib * 1_024.0 / 1e6
}

/// Keeps the calling thread, and those that it starts, on one core. On a machine with fewer cores they stay free.
pub(crate) fn pin(core: usize) {
    // SAFETY: a `cpu_set_t` is bits; all zero is the empty set.
    let mut cores: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `CPU_SET` writes to the set alone, and ignores cores beyond it.
    unsafe { libc::CPU_SET(core, &mut cores) };
    // SAFETY: the set is initialized, and the size is its own.
    unsafe { libc::sched_setaffinity(0, size_of_val(&cores), &raw const cores) };
}
