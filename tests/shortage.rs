//! The kernel's own refusals: limits that several threads run into, no overcommit, too many
//! mappings, locked memory. Each in a process of its own.

use std::alloc::Layout;
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use mm::{AllocError, MmBox, MmManaged, PageFamily, RegisterError};
use mm_tests::{
    IS_GLOBAL, OwnedBlock, Tally, family, figures, is_child, join_all, keep_room_for_checks,
    limited, ones, release_all, under,
};

/// Blocks that one thread holds, each with its own address in it.
struct Held {
    family: &'static PageFamily,
    units: usize,
    live: Vec<OwnedBlock>,
    /// The most blocks that were live at once.
    most: usize,
}

impl Held {
    fn new(family: &'static PageFamily, units: usize, room: usize) -> Self {
        Self {
            family,
            units,
            // Now, for later there is no memory.
            live: Vec::with_capacity(room),
            most: 0,
        }
    }

    /// Allocates one more block; false if there is none.
    fn grow(&mut self) -> bool {
        assert!(self.live.len() < self.live.capacity(), "no limit was met");
        match OwnedBlock::try_zeroed(self.family, self.units) {
            Ok(block) => {
                let word = block.start().cast::<usize>();
                // SAFETY: the block is live, ours, and long enough.
                assert_eq!(unsafe { word.read() }, 0);
                // SAFETY: as above.
                unsafe { word.write(word.addr().get()) };
                self.live.push(block);
                self.most = self.most.max(self.live.len());
                true
            }
            Err(AllocError::OutOfMemory { .. }) => false,
            Err(other) => panic!("{other}"),
        }
    }

    /// Releases all but the first `left` blocks.
    fn shrink_to(&mut self, left: usize) {
        for block in self.live.drain(left..) {
            // SAFETY: the block is live and ours.
            let word = unsafe { block.start().cast::<usize>().read() };
            assert_eq!(
                word,
                block.start().addr().get(),
                "another owner wrote to it"
            );
            block.release();
        }
    }
}

const ROUNDS: usize = 6;

/// Grows to the limit and shrinks again, some times, once `missing` threads have started; how often
/// there was no memory.
fn knock(held: &mut Held, missing: &AtomicUsize, refused: &AtomicUsize) {
    missing.fetch_sub(1, Relaxed);
    while missing.load(Relaxed) > 0 {
        thread::yield_now();
    }
    for _ in 0..ROUNDS {
        while held.grow() {}
        for _ in 0..20 {
            refused.fetch_add(usize::from(!held.grow()), Relaxed);
        }
        held.shrink_to(held.live.len() / 2);
    }
}

/// Four threads at the limit at once: single units, rows, large blocks, and a family for two.
fn knock_together() {
    let [singles, rows, large] = [("singles", 4_096), ("rows", 512), ("large", 300_000)]
        .map(|(name, size)| family(name, size, 8));
    let mut all = [(singles, 1), (rows, 40), (large, 2), (singles, 3)]
        .map(|(family, units)| Held::new(family, units, 180_000));
    // Memory for what the test itself needs at the limit. The threads wait for the last one, as at
    // the limit none can start.
    let ballast = vec![1_u8; 8 << 20];
    keep_room_for_checks();
    let missing = AtomicUsize::new(all.len());
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        let knocking = all
            .iter_mut()
            .map(|held| scope.spawn(|| knock(held, &missing, &refused)));
        join_all(knocking);
    });
    drop(ballast);
    mm::check().expect("the walker finds the same");
    for family in [singles, rows, large] {
        let mine = || {
            all.iter()
                .filter(|held| held.family.name() == family.name())
        };
        let units: usize = mine().map(|held| held.live.len() * held.units).sum();
        let blocks: usize = mine().map(|held| held.live.len()).sum();
        let now = figures(family);
        assert_eq!(
            (now.live_blocks, now.live_units),
            (blocks as u64, units as u64)
        );
    }
    all.iter_mut().for_each(|held| held.shrink_to(0));
    mm::trim();
    // Addresses never change type, so a family has again what it had, even if another thread was quicker.
    for held in &mut all {
        let had = held.most;
        while held.live.len() < had && held.grow() {}
        assert_eq!(held.live.len(), had, "{}", held.family.name());
        held.shrink_to(0);
    }
    mm::check().expect("the walker finds the same");
    let faults = refused.into_inner();
    assert!(faults > 0, "the limit was not met");
    let tally = Tally {
        faults,
        ..Tally::default()
    };
    println!("{tally}");
}

#[test]
fn threads_run_out_of_address_space_together() {
    let name = "threads_run_out_of_address_space_together";
    if under("ulimit -v 700000", name) {
        knock_together();
    }
}

#[test]
fn hardened_threads_run_out_together() {
    let name = "hardened_threads_run_out_together";
    let harden = |child: &mut Command| {
        child.env("MM_OPTIONS", "random,zero,guard,quarantine=1MiB");
        limited(child, "ulimit -v 250000");
    };
    if is_child(name, harden) {
        knock_together();
    }
}

#[test]
fn threads_run_out_of_data_together() {
    if under("ulimit -d 300000", "threads_run_out_of_data_together") {
        knock_together();
    }
}

/// What `/proc/self/status` says of a field, in bytes.
fn status(field: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = value.and_then(|value| value.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.parse::<usize>().ok())
        .expect("a number")
        << 10
}

/// mm reserves more address space than it uses, and says so to no kernel that counts: mappings without access cost nothing in any mode of `vm.overcommit_memory`, also where
/// `MAP_NORESERVE` is ignored (mode 2). What becomes writable counts, by `mprotect`: that is refused
/// beyond the limit. Sources: proc(5) `overcommit_memory`; "Overcommit Accounting" of the kernel's
/// documentation: private writable mappings cost their size, read-only ones nothing. Memory that
/// was given back stays counted there, as it stays writable.
///
/// The mode is the whole machine's, so the test leaves it as it is. `RLIMIT_DATA` counts the same
/// pages, those that are private and writable, at the same calls.
#[test]
fn what_is_reserved_is_not_committed() {
    let mode = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
    let mode = mode.unwrap_or_else(|_| "unknown".into());
    if !under("ulimit -d 200000", "what_is_reserved_is_not_committed") {
        println!("vm.overcommit_memory is {}; with RLIMIT_DATA", mode.trim());
        return;
    }
    keep_room_for_checks();
    let before = [status("VmSize"), status("VmData")];
    let family = family("reserved", 4_096, 8);
    let mut held = Held::new(family, 1, 180_000);
    let reserve = held.live.capacity() * size_of::<OwnedBlock>();
    assert!(held.grow());
    let grown = [status("VmSize") - before[0], status("VmData") - before[1]];
    // If mm is the global allocator, it has reserved it before.
    assert!(
        IS_GLOBAL || grown[0] >= 32 << 20,
        "{} bytes reserved",
        grown[0]
    );
    assert!(
        grown[1] <= reserve + (8 << 20),
        "{} bytes of data",
        grown[1]
    );
    while held.grow() {}
    let most = 200_000 << 10;
    assert!(status("VmData") <= most);
    assert!(held.live.len() * 4_096 > most / 2, "{}", held.live.len());
    assert_eq!(figures(family).live_units, held.live.len() as u64);
    held.shrink_to(0);
}

/// `top` shows an ordinary size: what is reserved grows with what is used.
#[test]
fn little_address_space_is_reserved_at_first() {
    let name = "little_address_space_is_reserved_at_first";
    if !is_child(name, |_| {}) {
        return;
    }
    let before = status("VmSize");
    let first = MmBox::new(Item([1; 8]));
    let grown = status("VmSize") - before;
    assert!(grown < 128 << 20, "{grown} bytes for one value");
    // 600 MB.
    let large = family("reserved:large", 1 << 20, 8);
    let blocks = ones(large, 600);
    let grown = status("VmSize") - before;
    assert!(grown < 2_400 << 20, "{grown} bytes for 600 MiB");
    release_all(blocks);
    assert_eq!(first.0, [1; 8]);
}

/// Both bounds of a limit.
fn bounds(bytes: u64) -> libc::rlimit {
    libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    }
}

/// A service that starts, and limits itself then.
#[test]
fn threads_start_under_a_limit_that_came_later() {
    let name = "threads_start_under_a_limit_that_came_later";
    if !is_child(name, |_| {}) {
        return;
    }
    let first = MmBox::new(Item([1; 8]));
    // SAFETY: the bounds can be read.
    let is_set = unsafe { libc::setrlimit(libc::RLIMIT_AS, &bounds(512 << 20)) } == 0;
    assert!(is_set);
    for _ in 0..4 {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let work = move || {
                    let items: Vec<_> =
                        (0..10_000).map(|_| MmBox::new(Item([number; 8]))).collect();
                    items.iter().all(|item| item.0 == [number; 8])
                };
                thread::Builder::new().spawn(work).expect("a thread")
            })
            .collect();
        let mut ends = threads.into_iter().map(thread::JoinHandle::join);
        assert!(ends.all(|is_right| is_right.expect("no panic")));
    }
    assert_eq!(first.0, [1; 8]);
    mm::check().expect("the walker finds the same");
}

/// A program that locks all its memory, and may lock 5 MiB.
#[test]
fn little_memory_may_be_locked() {
    if !is_child("little_memory_may_be_locked", |_| {}) {
        return;
    }
    // SAFETY: the bounds can be read.
    let is_set = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &bounds(5 << 20)) } == 0;
    if !is_set {
        println!("left out: 5 MiB may not be locked");
        return;
    }
    // The kernel sets no limit to root.
    // SAFETY: neither call has preconditions.
    let is_plain = unsafe { libc::geteuid() } != 0 || unsafe { libc::setuid(65_534) } == 0;
    assert!(is_plain);
    keep_room_for_checks();
    let mut all = Vec::with_capacity(1 << 20);
    // SAFETY: changes no memory that is there.
    assert_eq!(unsafe { libc::mlockall(libc::MCL_FUTURE) }, 0);
    let first = MmBox::try_new(Item([7; 8])).expect("room for a value");
    // Enough is left for others.
    let on_a_thread = thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(|| MmBox::try_new(Item([8; 8])).is_ok());
    let has_made = on_a_thread.expect("room for a thread").join();
    assert!(has_made.expect("no panic"));
    let row = Item::try_xcalloc(3_000).expect("room for 190 KB");
    assert!(row.iter().all(|item| item.0 == [0; 8]));
    let others = [8, 200, 4_000].map(|size| family(&format!("locked:{size}"), size, 8));
    for other in others {
        OwnedBlock::zeroed(other, 2).release();
    }
    // And to the end, which is an error like any other.
    while let Ok(one) = MmBox::try_new(Item([9; 8])) {
        all.push(one);
    }
    println!("{} values in locked memory", all.len());
    assert!(all.len() > 1_000, "{} values", all.len());
    assert!(all.iter().all(|one| one.0 == [9; 8]));
    assert_eq!(first.0, [7; 8]);
    drop(all);
    mm::check().expect("the walker finds the same");
}

/// A region that takes as many mappings as the process may have.
struct Mappings {
    start: *mut libc::c_void,
    made: usize,
}

const OS_PAGE: usize = 4_096;

#[allow(
    clippy::disallowed_methods,
    reason = "mappings that are not mm's, to be in its way"
)]
impl Mappings {
    /// Splits a region page by page until the kernel refuses.
    fn fill() -> Self {
        let most = std::fs::read_to_string("/proc/sys/vm/max_map_count").expect("Linux");
        let most: usize = most.trim().parse().expect("a number");
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let bytes = (most + 2) * OS_PAGE;
        // SAFETY: a new mapping, which no other code uses.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        let mut all = Self { start, made: 0 };
        while all.protect(all.made * 2, libc::PROT_READ) {
            all.made += 1;
        }
        all
    }

    fn protect(&self, page: usize, protection: libc::c_int) -> bool {
        let page = self.start.wrapping_byte_add(page * OS_PAGE);
        // SAFETY: a page of the region, which no code uses.
        (unsafe { libc::mprotect(page, OS_PAGE, protection) }) == 0
    }

    /// Joins some pages with their neighbours: two mappings less for each.
    fn give_back(&mut self, pages: usize) {
        for _ in 0..pages.min(self.made) {
            self.made -= 1;
            // The last one's successor is a mapping of its own, so this needs none more.
            assert!(self.protect(self.made * 2, libc::PROT_NONE));
        }
    }
}

#[derive(MmManaged, Clone, Copy, bytemuck::Zeroable)]
#[mm(zeroable)]
struct Item([u64; 8]);

/// Uses mm in each way; how many blocks there were not. Leaves nothing live.
fn use_all(families: &[&'static PageFamily]) -> usize {
    let mut refused = 0;
    let mut count = |made: bool| refused += usize::from(!made);
    let boxes: [Option<MmBox<Item>>; 200] =
        std::array::from_fn(|_| MmBox::try_new(Item([7; 8])).ok());
    boxes.iter().for_each(|one| count(one.is_some()));
    // Enough to ask for huge pages, and to fall far from.
    let mut many: [_; 300] = std::array::from_fn(|_| Item::try_xcalloc(1_000).ok());
    many.iter().for_each(|row| count(row.is_some()));
    many[..299].fill_with(|| None);
    let rows: [_; 40] = std::array::from_fn(|units| Item::try_xcalloc(units * 9 + 1).ok());
    rows.iter().for_each(|row| count(row.is_some()));
    for family in families {
        for units in [1, 20, 200] {
            let block = OwnedBlock::try_zeroed(family, units);
            count(block.is_ok());
            release_all(block);
        }
    }
    assert!(boxes.iter().flatten().all(|one| one.0 == [7; 8]));
    drop((boxes, rows, many));
    mm::trim();
    mm::check().expect("the walker finds the same");
    refused
}

/// Registers families until there is no memory for their records; whether that was so.
fn register_many(round: usize) -> bool {
    let layout = Layout::new::<[u64; 4]>();
    let mut made = (0..2_000).map(|number| {
        let name = format!("mappings:{round}:{number}");
        PageFamily::register(&name, layout)
    });
    let refused = made.find_map(Result::err);
    assert!(matches!(refused, None | Some(RegisterError::OutOfMemory)));
    refused.is_some()
}

/// At the bound of `max_map_count`, and a few mappings below it, on and on.
fn too_many_mappings(used_before: bool) {
    // Sizes up to those of large blocks; one that asks for huge pages.
    let sizes = [64, 4_096, 100_000, 400_000];
    let names = [
        "mappings:64",
        "mappings:4k",
        "mappings:100k",
        "mappings:400k",
    ];
    let families = std::array::from_fn::<_, 4, _>(|at| family(names[at], sizes[at], 8));
    if used_before {
        assert_eq!(use_all(&families), 0);
    }
    let mut mappings = Mappings::fill();
    let mut faults = 0;
    for round in 0..12 {
        faults += use_all(&families) + usize::from(register_many(round));
        mappings.give_back(1);
    }
    mappings.give_back(1_000);
    assert_eq!(use_all(&families), 0);
    let item = figures(Item::page_family());
    assert_eq!((item.live_blocks, item.live_units), (0, 0));
    let tally = Tally {
        faults,
        ..Tally::default()
    };
    println!("{tally}");
    // Who has an arena already finds that what is committed next joins what was before.
    assert!(used_before || faults > 0, "nothing was refused");
}

#[test]
fn no_more_mappings_from_the_start() {
    if is_child("no_more_mappings_from_the_start", |_| {}) {
        too_many_mappings(false);
    }
}

#[test]
fn no_more_mappings_in_the_middle() {
    if is_child("no_more_mappings_in_the_middle", |_| {}) {
        too_many_mappings(true);
    }
}

/// Guards are mappings too, and as many as there may be.
#[test]
fn no_more_mappings_among_guards() {
    let harden = |child: &mut Command| {
        child.env("MM_OPTIONS", "guard,poison,quarantine=64KiB");
    };
    if is_child("no_more_mappings_among_guards", harden) {
        too_many_mappings(true);
    }
}

/// The kernel takes no locked memory back (madvise(2)), so nothing that is used again is zero.
#[test]
fn locked_memory_is_cleared_when_it_is_used_again() {
    if !is_child("locked_memory_is_cleared_when_it_is_used_again", |_| {}) {
        return;
    }
    // SAFETY: changes no memory that is there.
    let locked = unsafe { libc::mlockall(libc::MCL_FUTURE | libc::MCL_ONFAULT) } == 0;
    println!("memory is {}locked", if locked { "" } else { "not " });
    let large = family("locked:large", 300_000, 8);
    let mut faults = 0;
    for round in 0..20_usize {
        let rows: Vec<_> = (1..60).map(Item::xcalloc).collect();
        assert!(
            rows.iter()
                .flat_map(|row| row.iter())
                .all(|item| item.0 == [0; 8])
        );
        let mut boxes: Vec<_> = (0..5_000).map(|_| MmBox::new(Item([1; 8]))).collect();
        let block = OwnedBlock::zeroed(large, round + 1);
        let bytes = NonNull::slice_from_raw_parts(block.start(), (round + 1) * 300_000);
        // SAFETY: the block is live and ours.
        assert!(unsafe { bytes.as_ref() }.iter().all(|byte| *byte == 0));
        // SAFETY: as above.
        unsafe { block.start().write_bytes(1, bytes.len()) };
        block.release();
        boxes.truncate(round);
        drop(rows);
        let given = mm::trim();
        // What the global allocator took before is not locked.
        assert!(
            !locked || given == 0 || IS_GLOBAL,
            "{given} bytes of locked memory given back"
        );
        faults += usize::from(locked);
        mm::check().expect("the walker finds the same");
        assert_eq!(figures(Item::page_family()).live_units, round as u64);
    }
    let tally = Tally {
        faults,
        ..Tally::default()
    };
    println!("{tally}");
}
