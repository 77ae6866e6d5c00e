//! mm as the global allocator.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use mm_tests::{Random, join_all};

// With the feature, the library of the tests has it.
#[cfg_attr(not(feature = "global"), global_allocator)]
static HEAP: mm::Global = mm::Global::new();

/// A live block of [`HEAP`], whose bytes are all `fill`.
struct Owned {
    first: *mut u8,
    layout: Layout,
    fill: u8,
}

impl Owned {
    fn new(layout: Layout, fill: u8, zeroed: bool) -> Self {
        let first = if zeroed {
            // SAFETY: the callers' layouts have a size.
            unsafe { HEAP.alloc_zeroed(layout) }
        } else {
            // SAFETY: the callers' layouts have a size.
            unsafe { HEAP.alloc(layout) }
        };
        assert!(!first.is_null(), "{layout:?}");
        assert_eq!(first.addr() % layout.align(), 0, "{layout:?}");
        let block = Self {
            first,
            layout,
            fill,
        };
        if zeroed {
            assert!(block.bytes(layout.size()).iter().all(|byte| *byte == 0));
        }
        // SAFETY: the block is new, and has so many bytes.
        unsafe { first.write_bytes(fill, layout.size()) };
        block
    }

    fn bytes(&self, count: usize) -> &[u8] {
        // SAFETY: the block is live, and has no fewer bytes, all of which were written.
        unsafe { std::slice::from_raw_parts(self.first, count) }
    }

    fn resize(&mut self, size: usize) {
        let kept = size.min(self.layout.size());
        // SAFETY: the block is live, of this layout, and `size` is above 0.
        self.first = unsafe { HEAP.realloc(self.first, self.layout, size) };
        assert!(!self.first.is_null());
        let align = self.layout.align();
        assert_eq!(self.first.addr() % align, 0);
        self.layout = Layout::from_size_align(size, align).expect("small");
        assert!(self.bytes(kept).iter().all(|byte| *byte == self.fill));
        // SAFETY: the block is live, and has so many bytes.
        unsafe { self.first.write_bytes(self.fill, size) };
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let bytes = self.bytes(self.layout.size());
        assert!(bytes.iter().all(|byte| *byte == self.fill), "contents kept");
        // SAFETY: the block is live, of this layout, and used no more.
        unsafe { HEAP.dealloc(self.first, self.layout) };
    }
}

/// What mm keeps is exact while no other test allocates.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(random: &mut Random) -> usize {
    let most = 1 << random.below(19);
    1 + random.below(most)
}

fn layout(random: &mut Random) -> Layout {
    let shift = if random.below(4) > 0 {
        random.below(5)
    } else {
        random.below(17)
    };
    Layout::from_size_align(size(random), 1 << shift).expect("small")
}

fn work(seed: u64, rounds: usize) {
    let mut random = Random::new(seed);
    let mut live: Vec<Owned> = Vec::new();
    for round in 0..rounds {
        let fill = u8::try_from(round % 251).expect("small");
        match random.below(8) {
            0..4 => live.push(Owned::new(layout(&mut random), fill, round % 3 == 0)),
            4 if !live.is_empty() => {
                let picked = random.below(live.len());
                let to = size(&mut random);
                live[picked].resize(to);
            }
            _ if !live.is_empty() => {
                let picked = random.below(live.len());
                drop(live.swap_remove(picked));
            }
            _ => {}
        }
    }
}

#[test]
fn blocks_do_not_overlap_and_keep_their_bytes() {
    let _alone = alone();
    work(1, 30_000);
    mm::check().expect("what mm keeps is right");
}

#[test]
fn threads_allocate_and_release_for_each_other() {
    let _alone = alone();
    let (send, receive) = mpsc::channel::<Vec<String>>();
    thread::scope(|scope| {
        let workers = (0..4).map(|seed| {
            let send = send.clone();
            scope.spawn(move || {
                work(seed + 10, 5_000);
                for round in 0..50 {
                    let texts = (0..100).map(|n| format!("{seed} {round} {n}"));
                    send.send(texts.collect()).expect("the receiver is there");
                }
            })
        });
        let workers: Vec<_> = workers.collect();
        let mut total = 0;
        for texts in receive.iter().take(200) {
            total += texts.len();
        }
        assert_eq!(total, 20_000);
        join_all(workers);
    });
    mm::check().expect("what mm keeps is right");
}

thread_local! {
    /// Is dropped after what other thread-locals the allocator has.
    static LATE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static LATER: Late = const { Late };
}

struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        let texts: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        drop(texts);
        std::mem::forget(vec![0_u8; 100_000]);
    }
}

#[test]
fn destructors_of_thread_locals_allocate() {
    let _alone = alone();
    for _ in 0..20 {
        let thread = thread::spawn(|| {
            LATER.with(|_| ());
            LATE.with_borrow_mut(|texts| texts.push("text".to_owned()));
        });
        thread.join().expect("the thread ends well");
    }
    mm::check().expect("what mm keeps is right");
}

#[test]
fn collections_of_std_work() {
    let _alone = alone();
    let mut map = HashMap::new();
    let mut tree = BTreeMap::new();
    for number in 0..100_000_u64 {
        map.insert(number, number.to_string());
        tree.insert(number.to_string(), vec![number; 3]);
    }
    map.retain(|number, _| number % 3 == 0);
    assert_eq!(map.len(), 33_334);
    assert_eq!(tree.len(), 100_000);
    let live = mm::snapshot().live_bytes();
    assert!(live > 100_000 * 24, "{live}");
    drop((map, tree));
    mm::trim();
}

#[test]
fn what_cannot_be_had_is_null() {
    let _alone = alone();
    for (size, align) in [
        (isize::MAX as usize & !4_095, 4_096),
        (1, 1 << 30),
        (1 << 46, 8),
    ] {
        let layout = Layout::from_size_align(size, align).expect("a layout");
        // SAFETY: the layout has a size.
        let block = unsafe { HEAP.alloc(layout) };
        assert!(block.is_null(), "{layout:?}");
    }
}

#[test]
fn reports_are_made_with_mm_s_own_texts_in_it() {
    let _alone = alone();
    let snapshot = mm::snapshot();
    let report = snapshot.to_string();
    assert!(report.contains(" untyped + "), "{report}");
    let classes = snapshot.memory_usage("(untyped)").to_string();
    assert!(classes.contains("(untyped 64)"), "{classes}");
    let kept = vec![1_u8; 1 << 20];
    let large = mm::snapshot();
    let large = large.family("(untyped large)").expect("listed");
    assert!(large.live_bytes >= 1 << 20);
    drop(kept);
}

#[test]
fn only_the_allocator_releases_untyped_blocks() {
    let _alone = alone();
    let mut boxed = Box::new(7_u64);
    let first = NonNull::from(&mut *boxed).cast();
    // SAFETY: no family of mm's has the block, which is what the call answers.
    let refused = unsafe { mm::xfree_raw(first) };
    assert!(
        matches!(refused, Err(mm::FreeError::Foreign { .. })),
        "{refused:?}"
    );
    assert_eq!(*boxed, 7);
}

#[test]
fn requested_bytes_are_counted() {
    let _alone = alone();
    let requested = || mm::snapshot().requested_bytes();
    let before = requested();
    let kept: Vec<Owned> = (0..1_000)
        .map(|_| Owned::new(Layout::from_size_align(1_037, 1).expect("small"), 1, false))
        .collect();
    let list = kept.capacity() * size_of::<Owned>();
    let after = requested();
    // What the snapshots and libtest hold themselves differs little.
    let expected = (1_037 * 1_000 + list) as u64;
    assert!(
        (after - before).abs_diff(expected) < 20_000,
        "{before} {after}"
    );
    drop(kept);
    assert!(requested().abs_diff(before) < 20_000);
}

#[test]
fn wrong_options_end_the_process() {
    const NAME: &str = "wrong_options_end_the_process";
    let Some(child) = mm_tests::again_with(NAME, "bogus") else {
        return;
    };
    let said = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.code(), Some(2), "{said}");
    assert!(
        said.contains("MM_OPTIONS: unknown option `bogus`"),
        "{said}"
    );
}

/// The number of a byte that a program reads after it released it, as hardening leaves it there.
fn after_release() -> u8 {
    let block = Owned::new(Layout::new::<[u64; 6]>(), 1, false);
    let first = block.first;
    drop(block);
    // SAFETY: the memory stays mapped, and no other thread allocates in this child.
    unsafe { first.wrapping_add(20).read_volatile() }
}

#[derive(mm::MmManaged)]
struct Key([u64; 6]);

/// The same of a typed block.
fn after_typed_release() -> u8 {
    let key = mm::MmBox::new(Key([u64::from_ne_bytes([1; 8]); 6]));
    assert_eq!(key.0[5], u64::from_ne_bytes([1; 8]));
    let first = NonNull::new(mm::MmBox::into_raw(key))
        .expect("a box")
        .cast::<u8>();
    // SAFETY: the pointer came out of `into_raw`.
    unsafe { mm::xfree_raw(first) }.expect("live");
    // SAFETY: the memory stays mapped, and no other thread allocates in this child.
    unsafe { first.as_ptr().wrapping_add(20).read_volatile() }
}

#[test]
fn hardening_of_the_environment_holds_for_untyped_memory() {
    const NAME: &str = "hardening_of_the_environment_holds_for_untyped_memory";
    for (options, left) in [
        ("zero", 0),
        ("poison", 0xDF),
        ("poison,quarantine=1MiB", 0xDF),
    ] {
        let child = mm_tests::again_with(NAME, options);
        let Some(child) = child else {
            let missing = mm::Options::missing_in_untyped();
            assert_eq!(missing, mm::Options::new());
            mm::check().expect("what mm keeps is right");
            return println!("left: {} {}", after_release(), after_typed_release());
        };
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(said.contains(&format!("left: {left} {left}")), "{said}");
    }
}

#[test]
fn a_program_works_with_each_hardening() {
    const NAME: &str = "a_program_works_with_each_hardening";
    let all = "random,poison,guard,quarantine=64KiB,huge=always";
    for options in ["random", "zero", "poison", "guard", "quarantine=1MiB", all] {
        if mm_tests::is_child_with(NAME, options) {
            work(7, 3_000);
            thread::scope(|scope| {
                let threads = (0..3).map(|seed| scope.spawn(move || work(seed, 1_000)));
                join_all(threads.collect::<Vec<_>>());
            });
            mm::trim();
            return mm::check().expect("what mm keeps is right");
        }
    }
}

#[test]
fn a_write_after_release_of_untyped_memory_ends_the_process() {
    const NAME: &str = "a_write_after_release_of_untyped_memory_ends_the_process";
    let Some(child) = mm_tests::again_with(NAME, "poison") else {
        let block = Owned::new(Layout::new::<[u8; 5_000]>(), 1, false);
        let first = block.first;
        drop(block);
        // SAFETY: the bug that is to be found. The memory stays mapped.
        unsafe { first.wrapping_add(100).write_volatile(7) };
        drop(Owned::new(Layout::new::<[u8; 5_000]>(), 1, false));
        unreachable!("the write was not found");
    };
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(
        said.contains("page family `(untyped 5120)` was written"),
        "{said}"
    );
}

#[test]
fn a_program_that_chooses_hardens_typed_memory_alone() {
    const NAME: &str = "a_program_that_chooses_hardens_typed_memory_alone";
    if !mm_tests::is_child_with(NAME, "random") {
        return;
    }
    let all = mm::Options::new().random_order().poison().guard_pages();
    assert_eq!(all.quarantine(1 << 20).apply(), Ok(()));
    assert_eq!((after_release(), after_typed_release()), (1, 0xDF));
    let missing = mm::Options::missing_in_untyped();
    assert_eq!(missing.to_string(), "poison,guard,quarantine=1048576");
    assert_eq!(mm::Options::new().apply(), Err(mm::OptionsError::TooLate));
    work(7, 3_000);
    mm::check().expect("what mm keeps is right");
}

#[test]
fn a_program_chooses_until_its_first_typed_block() {
    const NAME: &str = "a_program_chooses_until_its_first_typed_block";
    if !mm_tests::is_child_with(NAME, "") {
        return;
    }
    drop(mm::MmBox::new(Key([1; 6])));
    let late = mm::Options::new().poison().apply();
    assert_eq!(late, Err(mm::OptionsError::TooLate));
}

#[test]
fn a_program_that_chooses_tracks_from_then_on() {
    const NAME: &str = "a_program_that_chooses_tracks_from_then_on";
    if !mm_tests::is_child_with(NAME, "leaks") {
        return;
    }
    let options = mm::Options::new().track(mm::Track::All);
    assert_eq!(options.apply(), Ok(()));
    let key = mm::MmBox::new(Key([1; 6]));
    let profile = mm::profile();
    let family = profile.family("Key").expect("listed");
    assert_eq!((family.every, family.unrecorded_blocks), (1, 0));
    // Untyped blocks are told apart by their stacks.
    assert_eq!(mm::heap_profile().sample_interval, 1);
    let untyped = profile.family("(untyped 64)").expect("listed");
    assert_eq!(untyped.every, 0);
    drop(key);
}

#[test]
fn untyped_memory_is_a_leak_only_if_asked() {
    const NAME: &str = "untyped_memory_is_a_leak_only_if_asked";
    for (options, code) in [("leaks=3", 0), ("leaks=3,untyped", 3)] {
        let Some(child) = mm_tests::again_with(NAME, options) else {
            std::mem::forget(vec![1_u8; 5_000]);
            assert!(mm::leaks().is_empty(), "{}", mm::leaks());
            // SAFETY: the bytes, of which there are none, are not looked at.
            assert!(unsafe { mm::leaks_with_values(8) }.is_empty());
            std::process::exit(0);
        };
        let said = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("(untyped 5120)"), code == 3, "{said}");
    }
}

#[test]
fn a_program_asks_for_untyped_leaks() {
    const NAME: &str = "a_program_asks_for_untyped_leaks";
    let Some(child) = mm_tests::again_with(NAME, "") else {
        std::mem::forget(vec![1_u8; 5_000]);
        mm::report_leaks_at_exit().untyped().exit_code(4);
        std::process::exit(0);
    };
    let said = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.code(), Some(4), "{said}");
}

#[test]
fn leak_scopes_count_untyped_memory_only_if_asked() {
    let _alone = alone();
    let leak = || std::mem::forget(vec![1_u8; 5_000]);
    mm::no_leaks(|scope| {
        leak();
        assert!(scope.leaks().is_empty());
        let inner = std::panic::catch_unwind(|| mm::no_leaks_untyped(|_| leak()));
        let said = inner.expect_err("it leaks");
        let said = said.downcast_ref::<String>().expect("a text");
        assert!(said.contains("(untyped 5120)"), "{said}");
    });
    mm::no_leaks_untyped(|scope| {
        let text = "text".repeat(100);
        assert_eq!(scope.leaks().families.len(), 1);
        mm::no_leaks(|_| leak_and_release());
        drop(text);
    });
    mm::check().expect("what mm keeps is right");
}

#[mm::no_leaks(untyped)]
fn leak_and_release() {
    drop(vec![1_u8; 5_000]);
}

#[test]
fn allocations_of_a_body_are_counted() {
    let _alone = alone();
    let counted = |body: &mut dyn FnMut()| mm::allocations(body).expect("mm allocates").1;
    let numbers = |counted: mm::Allocations| {
        let allocated = (counted.blocks_allocated, counted.bytes_allocated);
        (allocated, (counted.blocks_released, counted.bytes_released))
    };
    assert_eq!(numbers(counted(&mut || ())), ((0, 0), (0, 0)));
    let mut random = Random::new(5);
    for _ in 0..300 {
        let layout = layout(&mut random);
        let count = 1 + random.below(20);
        let mut kept = Vec::with_capacity(count);
        let bytes = (count * layout.size()) as u64;
        let made = counted(&mut || kept.extend((0..count).map(|_| Owned::new(layout, 1, false))));
        assert_eq!(numbers(made), ((count as u64, bytes), (0, 0)), "{layout:?}");
        let released = counted(&mut || kept.clear());
        assert_eq!(
            numbers(released),
            ((0, 0), (count as u64, bytes)),
            "{layout:?}"
        );
    }
}

#[test]
fn allocations_in_place_are_counted_in_bytes() {
    let _alone = alone();
    let layout = |size| Layout::from_size_align(size, 1).expect("small");
    // The first two stay in their class and in their run, the last moves.
    for (old, new, moves) in [(900, 960, 0), (131_000, 131_072, 0), (100, 5_000, 1)] {
        let mut block = Owned::new(layout(old), 1, false);
        let mut resize = |size| {
            mm::allocations(|| block.resize(size))
                .expect("mm allocates")
                .1
        };
        let (grown, shrunk) = (resize(new), resize(old));
        assert_eq!(grown.blocks_allocated, moves, "{old}");
        let (all, more) = if moves > 0 {
            (new, old)
        } else {
            (new - old, 0)
        };
        assert_eq!(
            (grown.bytes_allocated, grown.bytes_released),
            (all as u64, more as u64)
        );
        assert_eq!(
            (shrunk.bytes_allocated, shrunk.bytes_released),
            (more as u64, all as u64)
        );
    }
}

#[test]
fn allocations_nest_and_leave_out_other_threads() {
    let _alone = alone();
    let (mut inner, mut after) = (None, None);
    let outer = mm::allocations(|| {
        let first = vec![1_u8; 100];
        inner = mm::allocations(|| drop(vec![2_u8; 1_000]));
        after = mm::allocations(|| drop(first));
    });
    let bytes = |counted: Option<((), mm::Allocations)>| {
        let counted = counted.expect("mm allocates").1;
        (counted.bytes_allocated, counted.bytes_released)
    };
    // The probe of each inner call is a byte.
    assert_eq!(bytes(outer), (1_102, 1_102));
    assert_eq!((bytes(inner), bytes(after)), ((1_000, 1_000), (0, 100)));

    let busy = std::sync::atomic::AtomicBool::new(true);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            while busy.load(std::sync::atomic::Ordering::Relaxed) {
                work(3, 100);
                mm::trim();
            }
        });
        for size in [10, 1_000, 70_000] {
            for _ in 0..2_000 {
                let counted = mm::allocations(|| vec![1_u8; size]);
                let (vec, counted) = counted.expect("mm allocates");
                assert_eq!(
                    (counted.blocks_allocated, counted.bytes_allocated),
                    (1, size as u64)
                );
                let counted = mm::allocations(|| drop(vec)).expect("mm allocates").1;
                assert_eq!(
                    (counted.blocks_released, counted.bytes_released),
                    (1, size as u64)
                );
            }
        }
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
        join_all([other]);
    });
}

#[test]
fn allocations_are_counted_after_a_panic_and_while_tracked() {
    let _alone = alone();
    let panicked = std::panic::catch_unwind(|| mm::allocations(|| panic!("in the body")));
    assert!(panicked.is_err());
    for which in [mm::Track::All, mm::Track::Off] {
        mm::track(which);
        let counted = mm::allocations(|| drop(vec![1_u8; 77]));
        let counted = counted.expect("mm allocates").1;
        assert_eq!((counted.blocks_allocated, counted.bytes_allocated), (1, 77));
        assert_eq!((counted.blocks_released, counted.bytes_released), (1, 77));
    }
    mm::check().expect("what mm keeps is right");
}

#[test]
fn allocations_are_counted_under_hardening() {
    const NAME: &str = "allocations_are_counted_under_hardening";
    for options in ["poison", "zero,guard,quarantine=4096", "random"] {
        if !mm_tests::is_child_with(NAME, options) {
            continue;
        }
        for size in [10, 1_000, 70_000] {
            let counted = mm::allocations(|| drop(vec![1_u8; size]));
            let counted = counted.expect("mm allocates").1;
            let size = size as u64;
            assert_eq!(
                (counted.blocks_allocated, counted.bytes_allocated),
                (1, size)
            );
            assert_eq!((counted.blocks_released, counted.bytes_released), (1, size));
        }
        return;
    }
}

#[test]
fn blocks_stay_up_to_their_usable_size() {
    let _alone = alone();
    let mut random = Random::new(9);
    for round in 0..2_000_u32 {
        let layout = layout(&mut random);
        let mut block = Owned::new(layout, u8::try_from(round % 250).expect("small"), false);
        let first = NonNull::new(block.first).expect("a block");
        // SAFETY: the block is live, of this layout.
        let usable = unsafe { HEAP.usable_size(first, layout) };
        assert!(usable >= layout.size(), "{layout:?}");
        block.resize(usable);
        assert_eq!(block.first, first.as_ptr(), "{layout:?} {usable}");
        // SAFETY: the block is live, of the layout that it has now.
        let again = unsafe { HEAP.usable_size(first, block.layout) };
        assert_eq!(again, usable, "{layout:?}");
        block.resize(layout.size());
        assert_eq!(block.first, first.as_ptr(), "{layout:?} {usable}");
    }
}

#[test]
fn the_watcher_names_a_class_that_grows() {
    const NAME: &str = "the_watcher_names_a_class_that_grows";
    use std::time::{Duration, Instant};
    if !mm_tests::is_child_with(NAME, "") {
        return;
    }
    let (send, named) = mpsc::channel();
    let watch = mm::watch().every(Duration::from_millis(10));
    let watch = watch.on_growth(move |growth| drop(send.send(growth.clone())));
    let watch = watch.start().expect("a thread");
    let end = Instant::now() + Duration::from_mins(1);
    let mut growth = None;
    while growth.is_none() && Instant::now() < end {
        std::mem::forget(vec![1_u8; 5_000]);
        thread::sleep(Duration::from_millis(2));
        growth = named
            .try_iter()
            .find(|growth| growth.name == "(untyped 5120)");
    }
    drop(watch);
    let growth = growth.expect("the class is named");
    assert!(growth.bytes_per_second > 100_000.0, "{growth}");
    // All of the program would wait for the lock of a tracked class.
    assert_eq!((growth.profile.every, growth.profile.sites.len()), (0, 0));
    assert!(
        growth
            .to_string()
            .starts_with("`(untyped 5120)` has grown steadily"),
        "{growth}"
    );
}

#[test]
fn formats_have_each_class_once_and_right_sums() {
    let _alone = alone();
    let kept = (vec![1_u8; 100_000], "text".to_owned());
    let snapshot = mm::snapshot();
    let untyped = || {
        snapshot
            .families
            .iter()
            .filter(|family| family.name.starts_with("(untyped"))
    };
    let live: u64 = untyped().map(|family| family.live_bytes).sum();
    assert!(live >= 100_000 && untyped().count() >= 10);

    let metrics = snapshot.openmetrics().to_string();
    let start = "mm_family_live_bytes{family=\"(untyped";
    let samples: Vec<_> = metrics
        .lines()
        .filter(|line| line.starts_with(start))
        .collect();
    let value = |line: &str| {
        line.rsplit(' ')
            .next()
            .and_then(|value| value.parse::<u64>().ok())
    };
    assert_eq!(
        samples.iter().filter_map(|line| value(line)).sum::<u64>(),
        live
    );
    let distinct: std::collections::HashSet<_> = samples.iter().collect();
    assert_eq!(
        (samples.len(), distinct.len()),
        (untyped().count(), untyped().count())
    );

    let json = serde_json::to_value(&snapshot).expect("numbers and texts");
    let families = json["families"].as_array().expect("a list");
    let is_untyped = |family: &&serde_json::Value| {
        let name = family["name"].as_str();
        name.is_some_and(|name| name.starts_with("(untyped"))
    };
    let of_json: Vec<_> = families.iter().filter(is_untyped).collect();
    assert_eq!(of_json.len(), untyped().count());
    let bytes = of_json
        .iter()
        .filter_map(|family| family["live_bytes"].as_u64());
    assert_eq!(bytes.sum::<u64>(), live);

    let profile = mm::profile();
    let in_profile = profile
        .families
        .iter()
        .filter(|family| family.name.starts_with("(untyped"));
    let names: Vec<_> = in_profile.clone().map(|family| family.name).collect();
    assert_eq!(names.len(), untyped().count());
    for family in in_profile {
        assert_eq!(
            family.unrecorded_blocks, family.live_blocks,
            "{}",
            family.name
        );
    }
    // The largest block has its own sample, without a call site.
    assert!(profile.to_pprof().starts_with(&[0x1f, 0x8b]));
    drop(kept);
}
