//! Guards of hardened families: the kernel ends a process that touches one. Each test runs itself again,
//! in a separate process.
#![cfg(all(target_os = "linux", not(mm_portable)))]

use std::fs;
use std::io::{self, PipeWriter};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::ptr::NonNull;

use mm::{MmBox, MmManaged};
use mm_tests::{OwnedBlock, again_with, family, is_child_with, pretend, typed};

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
#[repr(C)]
struct Key([u64; 6]);

/// Runs the test `name` as a child that is to run into a guard; whether this is the child.
fn ends_at_guard(name: &str) -> bool {
    let Some(output) = again_with(name, "guard") else {
        return true;
    };
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("one byte less is fine"), "{out}");
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{out}");
    false
}

/// Writes to the bytes before `end`, says so, and then to the byte at `end`.
fn run_into_guard(end: NonNull<u8>) -> ! {
    // SAFETY: the memory belongs to the block before, or to no block.
    let last = unsafe { end.sub(1) };
    // SAFETY: as above.
    unsafe { last.write_volatile(1) };
    println!("one byte less is fine");
    // SAFETY: the bug that the guard is for.
    unsafe { end.write_volatile(1) };
    unreachable!("there was no guard");
}

#[test]
fn who_writes_past_a_vm_page_is_ended() {
    if !ends_at_guard("who_writes_past_a_vm_page_is_ended") {
        return;
    }
    // More than one VM page of 64 KiB holds, so one is full.
    let keys: Vec<_> = (0..3_000)
        .map(|_| MmBox::into_raw(MmBox::new(Key([1; 6]))).cast::<u8>())
        .collect();
    let mut addresses: Vec<_> = keys.iter().map(|key| key.addr()).collect();
    addresses.sort_unstable();
    // After the last unit of a page comes a gap, in which the guard begins.
    let gap = addresses.windows(2).find(|two| two[1] - two[0] > 4_096);
    let last = gap.expect("the pages have guards")[0];
    let guard = (last + size_of::<Key>()).next_multiple_of(4_096);
    assert_eq!((guard + 4_096) % 65_536, 0);
    run_into_guard(NonNull::new(keys[0].with_addr(guard)).expect("an address"));
}

/// Writes past a large block.
fn leave_large_block() -> ! {
    // 49,152 bytes are one VM page's, 98,304 end with an OS page. Released and made again, a
    // little shorter, so that the guard has to move.
    drop(Key::xcalloc(2_048 + 512));
    let large = MmBox::into_raw(Key::xcalloc(2_048));
    let end = large.cast::<u8>().wrapping_add(size_of::<Key>() * 2_048);
    run_into_guard(NonNull::new(end).expect("an address"));
}

#[test]
fn who_writes_past_a_large_block_is_ended() {
    if ends_at_guard("who_writes_past_a_large_block_is_ended") {
        leave_large_block();
    }
}

#[test]
#[cfg_attr(
    feature = "global",
    ignore = "mm asks the kernel before a test can change it"
)]
fn marks_that_the_kernel_only_says_it_set_are_no_guards() {
    /// `MADV_GUARD_INSTALL`.
    const INSTALL: libc::c_int = 102;
    if ends_at_guard("marks_that_the_kernel_only_says_it_set_are_no_guards") {
        pretend(libc::SYS_madvise, Some(INSTALL));
        leave_large_block();
    }
}

#[test]
#[cfg_attr(
    feature = "global",
    ignore = "mm asks the kernel before a test can change it"
)]
fn marks_that_the_kernel_only_says_it_took_away_are_not_used() {
    /// `MADV_GUARD_REMOVE`.
    const REMOVE: libc::c_int = 103;
    let name = "marks_that_the_kernel_only_says_it_took_away_are_not_used";
    if !is_child_with(name, "guard") {
        return;
    }
    pretend(libc::SYS_madvise, Some(REMOVE));
    for units in (1_400..8_000)
        .step_by(100)
        .chain((1_400..8_000).step_by(70))
    {
        let mut block = Key::xcalloc(units);
        block.iter_mut().for_each(|key| key.0 = [1; 6]);
    }
}

#[test]
fn guards_move_with_large_blocks() {
    if !is_child_with("guards_move_with_large_blocks", "guard") {
        return;
    }
    let mut blocks: Vec<MmBox<[Key]>> = Vec::new();
    for step in 0..2_000_usize {
        let place = step * 7 % 20;
        if place < blocks.len() {
            drop(blocks.swap_remove(place));
        }
        let mut block = Key::xcalloc(1_400 + step * 37 % 6_000);
        assert!(block.iter().all(|key| key.0 == [0; 6]));
        block.iter_mut().for_each(|key| key.0 = [step as u64; 6]);
        blocks.push(block);
        if step % 100 == 0 {
            mm::trim();
            mm::check().expect("the walker finds the same");
        }
    }
    let units: usize = blocks.iter().map(|block| block.len()).sum();
    let snapshot = mm::snapshot();
    let live: u64 = typed(&snapshot).map(|family| family.live_units).sum();
    assert_eq!(live, units as u64);
}

/// Whether the byte at `at` can be read: the kernel says so instead of a signal.
fn is_readable(pipe: &PipeWriter, at: *const u8) -> bool {
    // SAFETY: a pipe takes one byte from any address, or answers EFAULT.
    unsafe { libc::write(pipe.as_raw_fd(), at.cast(), 1) == 1 }
}

#[test]
fn guards_in_locked_memory_do_not_run_out() {
    const UNIT: usize = 300 << 10;
    if !is_child_with("guards_in_locked_memory_do_not_run_out", "guard") {
        return;
    }
    let (_reader, pipe) = io::pipe().expect("a pipe");
    let family = family("locked", UNIT, 8);
    let two = OwnedBlock::new(family, 2);
    let start = two.start();
    // Stays locked when the block is released. In such memory the kernel puts none of its guards.
    let middle = start.as_ptr().wrapping_add(UNIT);
    // SAFETY: inside the block.
    let locked = unsafe { libc::mlock(middle.cast(), 20 << 10) };
    assert_eq!(locked, 0);
    two.release();
    mm::trim();
    // No more of the other kind exist at once than a quarter of these.
    let most = fs::read_to_string("/proc/sys/vm/max_map_count").expect("Linux has it");
    let most: usize = most.trim().parse().expect("a number");
    for round in 0..=most / 4 {
        let one = OwnedBlock::new(family, 1);
        assert_eq!(one.start(), start);
        assert!(!is_readable(&pipe, middle), "round {round}");
        one.release();
    }
}
