//! How much memory threads hold in their caches, and how much remains when they are idle: the bounds of
//! the module `heap::cache`.

use std::sync::{Arc, Barrier};
use std::thread;

use mm::{FamilySnapshot, MmBox, MmManaged};
use mm_tests::{Random, snapshot_of};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn figures<T: MmManaged>() -> FamilySnapshot {
    snapshot_of(T::page_family())
}

/// Resident bytes of the family's pages.
fn resident<T: MmManaged>() -> u64 {
    figures::<T>().resident_bytes.expect("the kernel says it")
}

/// Releases them in random order.
fn release_shuffled<T>(mut blocks: Vec<T>) {
    let mut random = Random::new(7);
    while !blocks.is_empty() {
        blocks.swap_remove(random.below(blocks.len()));
    }
}

/// Runs `work` on a thread that stays until `look` returns.
fn beside<R>(work: impl FnOnce() + Send, look: impl FnOnce() -> R) -> R {
    let (done, end) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            work();
            done.wait();
            end.wait();
        });
        done.wait();
        let seen = look();
        end.wait();
        seen
    })
}

/// Defines a type of so many bytes.
macro_rules! of_bytes {
    ($($name:ident = $bytes:expr;)*) => {
        $(#[derive(MmManaged)]
        #[expect(dead_code, reason = "its size is what counts")]
        struct $name([u8; $bytes]);)*
    };
}

of_bytes! {
    Of16 = 16;
    Of36 = 36;
    Of256 = 256;
    Of4K = 4 << 10;
    Of8K = 8 << 10;
    Of64K = 64 << 10;
    Of130K = 130 << 10;
    Of200K = 200 << 10;
}

/// What the cache of one thread holds back after it released 8 MiB, in bytes.
fn held_back<T: MmManaged + mm::ZeroInit>() -> u64 {
    let unit = size_of::<T>() as u64;
    let count = (8 * MIB / unit).max(8);
    let burst = || release_shuffled((0..count).map(|_| T::xcalloc(1)).collect());
    beside(burst, || figures::<T>().cached_units * unit)
}

#[test]
fn one_thread_holds_little_back_of_one_family() {
    let all = [
        (16, held_back::<Of16>()),
        (36, held_back::<Of36>()),
        (256, held_back::<Of256>()),
        (4 << 10, held_back::<Of4K>()),
        (8 << 10, held_back::<Of8K>()),
        (64 << 10, held_back::<Of64K>()),
    ];
    for (unit, held) in all {
        // The hot slot, and three times 128 KiB: on the stack, side by side, and released side by side.
        assert!(held <= unit + 384 * KIB, "{unit}: {held}");
    }
    // Of larger units one.
    assert!(held_back::<Of130K>() <= 130 * KIB);
    assert!(held_back::<Of200K>() <= 200 * KIB);
}

#[derive(MmManaged)]
#[expect(dead_code, reason = "its size is what counts")]
struct Burst([u32; 9]);

#[test]
fn a_burst_leaves_little() {
    let burst = || {
        (0..1_000_000)
            .map(|_| MmBox::new(Burst([7; 9])))
            .collect::<Vec<_>>()
    };
    drop(burst());
    assert!(resident::<Burst>() <= 2 * MIB, "{}", resident::<Burst>());
    release_shuffled(burst());
    let after = resident::<Burst>();
    // What was missed is kept for a while, and then no more.
    thread::sleep(std::time::Duration::from_millis(4_200));
    drop(
        (0..20_000)
            .map(|_| MmBox::new(Burst([7; 9])))
            .collect::<Vec<_>>(),
    );
    let later = resident::<Burst>();
    assert!(later <= 2 * MIB, "{after} bytes, then {later}");
}

#[derive(MmManaged, Clone, Copy)]
#[expect(dead_code, reason = "its size is what counts")]
struct Idle([u32; 9]);

/// What came and went on a thread that sleeps now.
fn values_and_rows() {
    let values: Vec<_> = (0..30_000).map(|_| MmBox::new(Idle([7; 9]))).collect();
    let rows: Vec<_> = (0..4_000).map(|row| Idle::xcalloc(row % 400 + 2)).collect();
    release_shuffled(values);
    release_shuffled(rows);
}

#[test]
fn sleeping_threads_give_up_what_trim_takes() {
    const THREADS: usize = 64;
    let (done, end) = (
        Barrier::new(THREADS + 1),
        Arc::new(Barrier::new(THREADS + 1)),
    );
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                values_and_rows();
                done.wait();
                end.wait();
            });
        }
        done.wait();
        let before = resident::<Idle>();
        mm::trim();
        let after = resident::<Idle>();
        end.wait();
        assert!(
            after <= THREADS as u64 * 256 * KIB,
            "{before} bytes, then {after}"
        );
    });
}

#[derive(MmManaged)]
#[expect(dead_code, reason = "its size is what counts")]
struct Many([u32; 9]);

#[derive(MmManaged)]
#[expect(dead_code, reason = "its size is what counts")]
struct Few([u32; 9]);

/// How many more pages the family has after this thread allocated what fits ten, while another sleeps
/// that owns `pages` with holes.
fn growth_beside_holes<T: MmManaged + Send>(pages: u64, make: fn() -> MmBox<T>) -> u64 {
    let count = |pages: u64| pages * 64 * KIB / size_of::<T>() as u64;
    let holes = move || {
        let mut values: Vec<_> = (0..count(pages)).map(|_| Some(make())).collect();
        let mut random = Random::new(3);
        values
            .iter_mut()
            .filter(|_| random.below(8) > 0)
            .for_each(|value| *value = None);
        // They stay while this thread lives, and after.
        std::mem::forget(values);
    };
    beside(holes, || {
        let before = figures::<T>().vm_pages;
        let values: Vec<_> = (0..count(10)).map(|_| make()).collect();
        let grown = figures::<T>().vm_pages - before;
        drop(values);
        grown
    })
}

#[test]
fn memory_is_taken_from_others_before_the_kernel_is_asked() {
    // The floor: 16 pages to spare.
    let above = growth_beside_holes(60, || MmBox::new(Many([7; 9])));
    let below = growth_beside_holes(12, || MmBox::new(Few([7; 9])));
    assert!(above <= 4 && below >= 6, "{above} pages, and {below}");
}
