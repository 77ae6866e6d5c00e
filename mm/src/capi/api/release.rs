//! Calls that know a block by its address: release, size and family.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use super::family::{family_at, handle, mm_family};
use super::last_error::{Answer, pointer, refuse, status};
use super::status::mm_status;
use crate::error::FreeError;
use crate::family::{self, PageFamily};
use crate::heap::{Heap, Put};
use crate::release::free_error;

/// Releases a block of any family. For `NULL` it does nothing.
///
/// Fails with `MM_FOREIGN`, `MM_INTERIOR` or `MM_NOT_LIVE`; then nothing changes. A second release is
/// found until the memory is handed out again, unless the program wrote to the block after its release.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No Rust value owns the block.
/// 3. No other thread releases the block at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_release(block: *mut c_void) -> mm_status {
    // SAFETY: requirements 1 to 3 are those of `release`.
    status(unsafe { release(block, None) })
}

/// Releases a block of this family. For a block of another family it fails with `MM_WRONG_FAMILY`; in
/// all other respects it acts as `mm_release`.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No Rust value owns the block.
/// 3. No other thread releases the block at the same time.
/// 4. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_release(
    family: *mut mm_family,
    block: *mut c_void,
) -> mm_status {
    // SAFETY: by requirement 4 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    // SAFETY: requirements 1 to 3 are those of `release`.
    status(family.and_then(|family| unsafe { release(block, Some(family)) }))
}

/// Returns the size in bytes of the live block that starts at `block`; 0 for a block of 0 units and for
/// `NULL`.
///
/// If no live block starts there, it returns 0 and fails as `mm_release` does.
#[unsafe(no_mangle)]
pub extern "C" fn mm_block_bytes(block: *const c_void) -> usize {
    let first = NonNull::new(block.cast_mut().cast());
    match first.filter(|first| !Heap::is_empty_block(*first)) {
        Some(first) => {
            live_block(first).map_or(0, |(family, units)| units * family.layout().size())
        }
        None => 0,
    }
}

/// Returns the family of the live block that starts at `block`; `NULL` for a block of 0 units and for
/// `NULL`.
///
/// If no live block starts there, it returns `NULL` and fails as `mm_release` does.
#[unsafe(no_mangle)]
pub extern "C" fn mm_block_family(block: *const c_void) -> *mut mm_family {
    let first = NonNull::new(block.cast_mut().cast());
    match first.filter(|first| !Heap::is_empty_block(*first)) {
        Some(first) => pointer(live_block(first).map(|(family, _)| handle(family))),
        None => ptr::null_mut(),
    }
}

/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No Rust value owns the block.
/// 3. No other thread releases the block at the same time.
#[inline]
unsafe fn release(block: *mut c_void, asked: Option<&'static PageFamily>) -> Answer<()> {
    let Some(first) = NonNull::new(block.cast()) else {
        return Ok(());
    };
    if asked.is_none_or(|asked| asked.heap.owns(first.addr().get())) {
        // SAFETY: requirements 1 to 3 are those of `put`.
        if unsafe { put(first) } {
            return Ok(());
        }
    }
    // SAFETY: requirements 1 to 3 are those of `release_slow`: `put` changed nothing.
    unsafe { release_slow(first, asked) }
}

/// Puts a block into the calling thread's cache on the fast path. False, with nothing changed, if that
/// needs the slow path.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No Rust value owns the block.
/// 3. No other thread releases the block at the same time.
#[inline]
unsafe fn put(first: NonNull<u8>) -> bool {
    // SAFETY: by requirements 1 to 3 nothing uses the block any more, as `put_unit` requires. If the
    // block was released before, its canaries are unchanged: by requirement 1 of that release the
    // program did not write to it.
    match unsafe { Heap::put_unit(first.as_ptr()) } {
        Put::Done => true,
        // SAFETY: `put_unit` found the unit at the block and changed nothing, and by requirements 1 to
        // 3 nothing uses the block any more.
        Put::NotYet(unit) => unsafe { Heap::put_short_block(first, unit) },
        Put::Not => false,
    }
}

/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No Rust value owns the block.
/// 3. No other thread releases the block at the same time.
#[cold]
unsafe fn release_slow(first: NonNull<u8>, asked: Option<&'static PageFamily>) -> Answer<()> {
    let heap = asked.map(|asked| &asked.heap);
    // SAFETY: by requirements 1 to 3 nothing uses the block any more, as `release_by_address_of`
    // requires. If the block was released before, its canaries are unchanged: by requirement 1 of that
    // release the program did not write to it.
    let answer = unsafe { Heap::release_by_address_of(first, heap) };
    answer.map_err(|(refusal, owner)| refuse(free_error(first, refusal, owner, asked)))
}

fn live_block(first: NonNull<u8>) -> Answer<(&'static PageFamily, usize)> {
    let found = Heap::block_at(first);
    let (heap, units) =
        found.map_err(|(refusal, owner)| refuse(free_error(first, refusal, owner, None)))?;
    // `of_heap` finds the family: memory is handed out only after its family was listed.
    let address = first.addr().get();
    let family = family::of_heap(heap).ok_or_else(|| refuse(FreeError::Foreign { address }))?;
    Ok((family, units))
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::heap::flush_thread;
    use crate::registry::register_of_c;
    use crate::snapshot::Location;

    fn family(name: &str, unit: usize) -> &'static PageFamily {
        let unit = Layout::from_size_align(unit, 8).expect("a layout");
        let location = Location::new(file!(), line!(), 0, "");
        register_of_c(name, unit, location).expect("a new name")
    }

    /// # Safety
    ///
    /// 1. If a live block starts at `block`, the test neither uses it any more nor releases it
    ///    elsewhere.
    /// 2. The test wrote to no block there after it was released.
    unsafe fn released(block: NonNull<u8>) -> mm_status {
        // SAFETY: by requirements 1 and 2 nothing uses the block any more, and tests own no blocks as
        // values.
        unsafe { mm_release(block.as_ptr().cast()) }
    }

    /// Returns the first and the last word of a block of eight words.
    ///
    /// # Safety
    ///
    /// 1. A live block of eight words starts at `block`, and all of them were written before.
    unsafe fn ends(block: NonNull<u8>) -> [u64; 2] {
        let first = block.cast::<u64>();
        // SAFETY: by requirement 1 the block has eight words.
        let last = unsafe { first.add(7) };
        // SAFETY: by requirement 1 the word was written, and an address in a block of words is aligned.
        let read = |word: NonNull<u64>| unsafe { word.read() };
        [first, last].map(read)
    }

    /// If a new block kept canaries and the program did not overwrite them, its release would look into all caches.
    #[test]
    fn a_block_that_is_handed_out_has_no_canaries() {
        let words = family("release-tests:no canaries", 64);
        let first = words.alloc(1).expect("memory");
        // SAFETY: `alloc` gave the block, which is live and has 64 bytes.
        unsafe { first.write_bytes(7, 64) };
        // SAFETY: `alloc` gave the block, which the test does not use any more.
        assert_eq!(unsafe { released(first) }, mm_status::MM_OK);
        let again = words.alloc(1).expect("memory");
        assert_eq!(again, first);
        // SAFETY: `alloc` gave the block, whose words were written above, before its release.
        assert_eq!(unsafe { ends(again) }, [0, 0]);
        // SAFETY: `alloc` gave the block, which the test does not use any more.
        assert_eq!(unsafe { released(again) }, mm_status::MM_OK);
        words.check().expect("exact figures");
    }

    /// The units were released past all caches. Another thread's cache holds them at the second
    /// release.
    #[test]
    fn a_second_release_is_found_wherever_the_units_are() {
        second_releases(family("release-tests:small", 64));
        second_releases(family("release-tests:not small", 512));
    }

    fn second_releases(words: &'static PageFamily) {
        let blocks = |count| -> Vec<_> {
            (0..count)
                .map(|_| words.alloc(1).expect("memory"))
                .collect()
        };
        let mine = blocks(512);
        for block in &mine {
            // SAFETY: `alloc` gave the block, and the test neither uses it any more nor releases it
            // elsewhere while it is live.
            unsafe { words.release(*block) }.expect("live");
        }
        let (sender, taken) = mpsc::channel();
        let (end, wait_for_end) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let other = scope.spawn(move || {
                // Enough blocks that the cache of this thread claims more units than it hands out.
                let blocks = blocks(101);
                let taken: Vec<_> = blocks.iter().map(|block| block.addr()).collect();
                sender.send(taken).expect("open");
                let _ = wait_for_end.recv();
                for block in blocks {
                    // SAFETY: `alloc` gave the blocks, which no thread uses.
                    assert_eq!(unsafe { released(block) }, mm_status::MM_OK);
                }
            });
            let taken = taken.recv().expect("open");
            for block in mine.iter().filter(|block| !taken.contains(&block.addr())) {
                // SAFETY: the block is not among `taken`: no live one is there, and the test wrote to
                // none.
                assert_eq!(unsafe { released(*block) }, mm_status::MM_NOT_LIVE);
            }
            drop(end);
            // The scope may end before the thread's locals are dropped; `join` waits for that.
            other.join().expect("no panic");
        });
        words.check().expect("exact figures");
        assert_eq!(words.live_units(), 0);
    }

    #[test]
    fn a_second_release_is_found_after_the_kernel_took_its_canaries() {
        let layout = Layout::new::<[u64; 64]>();
        let here = Location::new(file!(), line!(), column!(), "");
        let family = register_of_c("by-address:given-back", layout, here).expect("memory");
        let row = || family.alloc_zeroed(2).expect("memory");
        let rows: Vec<_> = (0..100).map(|_| row()).collect();
        // SAFETY: `alloc_zeroed` gave the rows. The test does not use them, nor does it write to those
        // that it released.
        let release = |row| unsafe { Heap::release_by_address(row) };
        rows.iter().for_each(|row| release(*row).expect("live"));
        flush_thread();
        assert!(family.heap.trim() > 0);
        // The cache also takes rows that it keeps for later.
        let live = [row(), row(), row(), row()];
        let stale = rows.iter().filter(|row| !live.contains(row));
        let found = stale.filter(|row| release(**row).is_err()).count();
        assert_eq!(found, rows.len() - live.len());
    }
}
