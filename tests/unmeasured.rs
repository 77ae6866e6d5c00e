//! Reports when the system gives no answer, or an impossible one. Each test runs in a separate process,
//! whose system calls are filtered.

use std::ptr::NonNull;

use mm::{MmBox, MmManaged, PageFamily, Snapshot, Track};
use mm_tests::{IS_GLOBAL, family, is_child, open_nothing_more, refuse, resident};

const MIB: usize = 1 << 20;

/// A block of so many MiB, of which each byte was written.
fn written(family: &'static PageFamily, mib: usize) -> NonNull<u8> {
    let block = family.alloc(mib * MIB / family.layout().size());
    let block = block.expect("memory");
    // SAFETY: the block is new, ours, and this long.
    unsafe { block.write_bytes(1, mib * MIB) };
    block
}

/// A zeroed block of so many MiB, of which each OS page was read, and none written.
fn read_only(family: &'static PageFamily, mib: usize) {
    let block = family.alloc_zeroed(mib * MIB / family.layout().size());
    let block = block.expect("address space");
    for offset in (0..mib * MIB).step_by(4_096) {
        let at = block.as_ptr().wrapping_add(offset);
        // SAFETY: the block is ours, zeroed, and this long.
        assert_eq!(unsafe { at.read_volatile() }, 0);
    }
}

/// The line of the process in the report of memory.
fn process_line(snapshot: &Snapshot) -> String {
    let report = snapshot.memory_usage(None).to_string();
    let line = report.lines().find(|line| line.starts_with("process "));
    line.expect("one line").to_owned()
}

fn known_parts(snapshot: &Snapshot) -> u64 {
    let families = snapshot.families.iter().map(|one| one.resident_bytes);
    let parts = families.chain([snapshot.records_resident_bytes]);
    parts.flatten().sum()
}

#[test]
fn what_the_kernel_refuses_is_not_measured() {
    let name = "unmeasured::what_the_kernel_refuses_is_not_measured";
    if !is_child(name, |_| ()) {
        return;
    }
    let family = family("refused", 64, 8);
    written(family, 13);
    assert!(resident(mm::snapshot().family("refused").expect("listed")) >= 13 << 20);
    refuse(&[libc::SYS_mincore, libc::SYS_ioctl]);
    let snapshot = mm::snapshot();
    let found = snapshot.family("refused").expect("listed");
    assert_eq!(found.resident_bytes, None);
    assert_eq!(snapshot.resident_bytes(), None);
    assert_eq!(snapshot.records_resident_bytes, None);
    assert!(!snapshot.resident_is_measured);
    // The process is asked about elsewhere.
    assert!(snapshot.process_resident_bytes >= Some(13 << 20));
    assert_eq!(found.live_bytes, 13 << 20);
    let line = process_line(&snapshot);
    let expected = if IS_GLOBAL {
        "; families: not measured; untyped: not measured; mm's records: not measured; \
         elsewhere (C's malloc, stacks, code): not measured"
    } else {
        "; families: not measured; mm's records: not measured; \
         elsewhere (String, Vec, ...): not measured"
    };
    assert!(line.ends_with(expected), "{line}");
    let row = snapshot.memory_usage("refused").to_string();
    assert!(row.contains("  not measured  "), "{row}");
    let metrics = snapshot.openmetrics().to_string();
    let sample = "mm_family_resident_bytes{family=\"refused\"";
    assert!(!metrics.contains(sample), "{metrics}");
    assert!(
        !metrics.contains("\nmm_records_resident_bytes "),
        "{metrics}"
    );
    assert!(
        metrics.contains("\nmm_resident_is_measured 0\n"),
        "{metrics}"
    );
    let diff = snapshot.diff(&snapshot);
    let mut of_family = diff.families.iter().filter(|one| one.name == "refused");
    assert!(of_family.all(|one| one.resident_bytes.is_none()));
    assert!(diff.changed().next().is_none());
}

#[test]
fn pages_of_zeros_are_nobodys_memory() {
    let name = "unmeasured::pages_of_zeros_are_nobodys_memory";
    if !is_child(name, |_| ()) {
        return;
    }
    let family = family("zeros", 64, 8);
    read_only(family, 256);
    let snapshot = mm::snapshot();
    let whole = snapshot.process_resident_bytes.expect("Linux says it");
    assert!(known_parts(&snapshot) <= whole, "{snapshot:?}");
    // Linux 6.7 tells them apart; others leave it open.
    let found = snapshot.family("zeros").expect("listed").resident_bytes;
    assert!(found.is_none_or(|bytes| bytes < 1 << 20), "{found:?}");
    written(family, 8);
    let snapshot = mm::snapshot();
    let found = snapshot.family("zeros").expect("listed").resident_bytes;
    assert!(
        found.is_none_or(|bytes| (8 << 20..10 << 20).contains(&bytes)),
        "{found:?}"
    );
}

#[test]
fn an_old_kernel_that_counts_pages_of_zeros_is_not_believed() {
    let name = "unmeasured::an_old_kernel_that_counts_pages_of_zeros_is_not_believed";
    if !is_child(name, |_| ()) {
        return;
    }
    refuse(&[libc::SYS_ioctl]);
    let family = family("old", 64, 8);
    written(family, 8);
    // As long as it can be, it is believed.
    let found = mm::snapshot().family("old").expect("listed").resident_bytes;
    assert!(found >= Some(8 << 20), "{found:?}");
    read_only(family, 256);
    let snapshot = mm::snapshot();
    assert_eq!(snapshot.family("old").expect("listed").resident_bytes, None);
    assert_eq!(snapshot.records_resident_bytes, None);
    let whole = snapshot.process_resident_bytes.expect("Linux says it");
    assert!(whole < 256 << 20);
}

#[derive(MmManaged)]
struct Secret(#[allow(dead_code, reason = "it is looked at from outside")] [u8; 4]);

#[test]
fn a_process_that_can_open_nothing_says_so() {
    let name = "unmeasured::a_process_that_can_open_nothing_says_so";
    if !is_child(name, |_| ()) {
        return;
    }
    Secret::page_family().track(Track::All);
    let secret = MmBox::new(Secret(*b"ada!"));
    // Which the kernel counts where it is not asked by a file.
    read_only(family("read", 64, 8), 64);
    open_nothing_more();
    let snapshot = mm::snapshot();
    assert_eq!(snapshot.process_resident_bytes, None);
    assert_eq!(
        (snapshot.resident_bytes(), known_parts(&snapshot)),
        (None, 0)
    );
    assert!(!snapshot.resident_is_measured);
    let line = process_line(&snapshot);
    assert!(
        line.starts_with("process resident: not measured; "),
        "{line}"
    );
    assert!(line.ends_with(": not measured"), "{line}");
    let metrics = snapshot.openmetrics().to_string();
    assert!(!metrics.contains("mm_process_resident_bytes"), "{metrics}");

    let leaks = || {
        // SAFETY: the bytes are looked at as bytes.
        let leaks = unsafe { mm::leaks_with_values(4) };
        let site = leaks.family("Secret").expect("one is live").sites[0].clone();
        (site.value.clone(), site.value_unreadable, site.to_string())
    };
    // Values are read without a file where the kernel allows it.
    let (value, unreadable, text) = leaks();
    assert_eq!(value.as_deref(), Some(&b"ada!"[..]), "{text}");
    assert!(!unreadable);
    refuse(&[libc::SYS_process_vm_readv]);
    let (value, unreadable, text) = leaks();
    assert_eq!((value, unreadable), (None, true));
    assert!(text.contains("and its value is not readable"), "{text}");
    assert!(!text.contains("begins"), "{text}");
    drop(secret);
}
