//! mm as the global allocator.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use mm_tests::{Random, join_all};

#[global_allocator]
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
