//! Limits of one family, limits of several together, and soft limits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mm::{AllocError, Limit, LimitGroup, MmBox, MmManaged, PageFamily};
use mm_tests::{IS_GLOBAL, OwnedBlock, family, figures, in_a_child, join_all, ones, release_all};

/// Asserts that `answer` is a refusal because of a limit of so many bytes.
#[track_caller]
fn is_refused(answer: Result<OwnedBlock, AllocError>, limit: u64) {
    match answer {
        Err(AllocError::QuotaExceeded { limit_bytes, .. }) => assert_eq!(limit_bytes, limit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_counts_units_of_all_blocks() {
    let family = family("limited", 100, 4);
    family.set_limit(Limit::units(2_000));
    // Single units, a row, a long row, and a block larger than a VM page.
    let blocks = [1, 3, 100, 1_800, 90, 6].map(|units| OwnedBlock::new(family, units));
    is_refused(OwnedBlock::try_new(family, 1), 200_000);
    is_refused(OwnedBlock::try_new(family, 5_000), 200_000);
    assert_eq!(figures(family).live_units, 2_000);
    assert_eq!(
        family.alloc(0).map(drop),
        Ok(()),
        "no units are always allowed"
    );
    let [first, row, more @ ..] = blocks;
    row.release();
    is_refused(OwnedBlock::try_new(family, 4), 200_000);
    let again = OwnedBlock::zeroed(family, 3);
    family.set_limit(Limit::bytes(1));
    is_refused(OwnedBlock::try_new(family, 1), 0);
    family.set_limit(None);
    let unlimited = OwnedBlock::new(family, 10);
    release_all([first, again, unlimited].into_iter().chain(more));
    assert_eq!(figures(family).live_units, 0);
    family.check().expect("the walker finds the same");
}

#[test]
fn the_refusal_names_family_limit_and_holders() {
    // In a process of its own: who holds the most is asked.
    if !mm_tests::is_child("the_refusal_names_family_limit_and_holders", |_| ()) {
        return;
    }
    let small = family("small", 10, 2);
    let others = [("most", 3), ("more", 2), ("much", 1)].map(|(name, units)| {
        let other = family(name, 1_000, 8);
        OwnedBlock::new(other, units)
    });
    small.set_limit(Limit::bytes(25));
    let two = OwnedBlock::new(small, 2);
    let refused = small.alloc(1).expect_err("above the limit");
    let said = refused.to_string();
    let start = "page family `small` may not hold 1 more unit of 10 bytes: its limit is 20 bytes; most is \
                 held by ";
    if IS_GLOBAL {
        // Untyped memory is one holder, and the largest.
        assert!(said.starts_with(&format!("{start}`(untyped)` (")), "{said}");
        assert!(
            said.ends_with(" bytes), `most` (3000 bytes), `more` (2000 bytes)"),
            "{said}"
        );
    } else {
        let rest = "`most` (3000 bytes), `more` (2000 bytes), `much` (1000 bytes)";
        assert_eq!(said, format!("{start}{rest}"));
    }
    release_all(others.into_iter().chain([two]));
}

#[derive(mm::MmManaged, Debug)]
struct Limited(#[allow(dead_code, reason = "it takes room")] u64);

#[test]
fn what_cannot_fail_panics_with_the_sentence() {
    let family = Limited::page_family();
    let first = MmBox::new(Limited(1));
    family.set_limit(Limit::units(1));
    assert!(matches!(
        MmBox::try_new(Limited(2)),
        Err(AllocError::QuotaExceeded { .. })
    ));
    let refused = std::panic::catch_unwind(|| MmBox::new(Limited(3)));
    let said = refused.expect_err("above the limit");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(
        said.starts_with("page family `Limited` may not hold 1 more unit of 8 bytes"),
        "{said}"
    );
    family.set_limit(None);
    drop((first, MmBox::new(Limited(4))));
}

/// Lets threads that begin together allocate until each was refused three times, and returns the blocks that
/// they hold then.
fn race(families: &[&'static PageFamily], threads: usize, units: usize) -> Vec<OwnedBlock> {
    race_with(families, threads, |family| {
        let mut held = Vec::new();
        let mut refused = 0;
        while refused < 3 && held.len() < 100_000 {
            refused += usize::from(!takes_one(family, units, &mut held));
            // Now and then one goes back, in the middle of the race.
            if held.len() % 7 == 3 && refused == 0 {
                release_all(held.pop());
                held.extend(OwnedBlock::try_new(family, units));
            }
        }
        held
    })
}

/// Whether the family's limits let `held` grow by a block.
fn takes_one(family: &'static PageFamily, units: usize, held: &mut Vec<OwnedBlock>) -> bool {
    match OwnedBlock::try_new(family, units) {
        Ok(block) => held.push(block),
        Err(AllocError::QuotaExceeded { .. }) => return false,
        Err(other) => panic!("{other}"),
    }
    true
}

/// Runs `work` on threads that begin together, and returns the blocks that they hold at the end.
fn race_with(
    families: &[&'static PageFamily],
    threads: usize,
    work: impl Fn(&'static PageFamily) -> Vec<OwnedBlock> + Sync,
) -> Vec<OwnedBlock> {
    let is_begun = AtomicBool::new(false);
    let waiting = AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let family = families[number % families.len()];
                let (is_begun, waiting, work) = (&is_begun, &waiting, &work);
                scope.spawn(move || {
                    // A cache, if the family may have one.
                    release_all(OwnedBlock::try_new(family, 1));
                    waiting.fetch_add(1, Relaxed);
                    while !is_begun.load(Relaxed) {
                        thread::yield_now();
                    }
                    work(family)
                })
            })
            .collect();
        while waiting.load(Relaxed) < threads && workers.iter().all(|worker| !worker.is_finished())
        {
            thread::yield_now();
        }
        is_begun.store(true, Relaxed);
        join_all(workers).into_iter().flatten().collect()
    })
}

#[test]
fn sixty_four_threads_are_admitted_to_the_limit_exactly() {
    for (number, units) in [1, 3].into_iter().enumerate() {
        let family = family(["race", "race in rows"][number], 24, 8);
        family.set_limit(Limit::units(9_000));
        let held = race(&[family], 64, units);
        assert_eq!(held.len() * units, 9_000);
        assert_eq!(figures(family).live_units, 9_000);
        release_all(held);
        assert_eq!(figures(family).live_units, 0);
        family.check().expect("the walker finds the same");
    }
}

#[test]
fn a_limit_binds_threads_with_full_caches() {
    let family = family("late limit", 24, 8);
    let (ready, wait) = mpsc::channel();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (go, begin) = mpsc::channel::<()>();
                let ready = ready.clone();
                let worker = scope.spawn(move || {
                    release_all(ones(family, 300));
                    ready.send(()).expect("the test waits");
                    begin.recv().expect("the test says so");
                    let mut admitted = 0;
                    while admitted < 10_000 && family.alloc(1).is_ok() {
                        admitted += 1;
                    }
                    admitted
                });
                (go, worker)
            })
            .collect();
        workers
            .iter()
            .for_each(|_| wait.recv().expect("a worker is ready"));
        family.set_limit(Limit::units(1_234));
        for (go, _) in &workers {
            go.send(()).expect("it waits");
        }
        let admitted = join_all(workers.into_iter().map(|(_, worker)| worker));
        assert_eq!(admitted.iter().sum::<usize>(), 1_234);
    });
    assert_eq!(figures(family).live_units, 1_234);
    family.set_limit(None);
}

static GROUP: LimitGroup = LimitGroup::new(90_000);

#[test]
fn a_group_shares_its_limit_exactly() {
    let families = [("group a", 24), ("group b", 24), ("group c", 24)]
        .map(|(name, size)| family(name, size, 8));
    // What one holds already counts.
    let before = ones(families[0], 100);
    families.iter().for_each(|family| GROUP.add(family));
    assert_eq!(GROUP.live_bytes(), 2_400);
    let held = race(&families, 63, 1);
    let live: u64 = families
        .iter()
        .map(|family| figures(family).live_bytes)
        .sum();
    assert_eq!((live, GROUP.live_bytes()), (90_000, 90_000));
    is_refused(OwnedBlock::try_new(families[1], 1), 90_000);
    GROUP.set_limit(90_024);
    let one_more = OwnedBlock::new(families[1], 1);
    is_refused(OwnedBlock::try_new(families[2], 1), 90_024);
    GROUP.remove(families[2]);
    let outside = OwnedBlock::new(families[2], 1);
    GROUP.remove(families[2]);
    release_all(held.into_iter().chain([outside, one_more]));
    assert_eq!(GROUP.live_bytes(), 2_400);
    release_all(before);
    assert_eq!(GROUP.live_bytes(), 0);
}

#[test]
fn a_soft_limit_tells_once_for_each_crossing() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let family = family("soft", 16, 8);
    let side = mm_tests::family("soft side", 8, 8);
    family.set_soft_limit(Limit::units(100), move |crossed| {
        assert_eq!(crossed.name(), "soft");
        // It may use mm, of this family and of others.
        release_all([OwnedBlock::new(crossed, 1), OwnedBlock::new(side, 2)]);
        TOLD.fetch_add(1, Relaxed);
    });
    for crossing in 1..=3 {
        let mut held = ones(family, 100);
        assert_eq!(TOLD.load(Relaxed), crossing - 1);
        held.extend(ones(family, 50));
        assert_eq!(TOLD.load(Relaxed), crossing);
        release_all(held);
    }
    family.clear_soft_limit();
    release_all(ones(family, 200));
    assert_eq!(TOLD.load(Relaxed), 3);
}

#[test]
fn threads_that_cross_a_soft_limit_tell_once() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let family = family("soft race", 16, 8);
    family.set_soft_limit(Limit::units(500), |_| {
        TOLD.fetch_add(1, Relaxed);
    });
    family.set_limit(Limit::units(1_000));
    // No thread releases: a family that falls to the limit again crosses it again.
    let held = race_with(&[family], 16, |family| {
        let mut held = Vec::new();
        while takes_one(family, 1, &mut held) {}
        held
    });
    assert_eq!(figures(family).live_units, 1_000);
    assert_eq!(TOLD.load(Relaxed), 1);
    release_all(held);
}

#[test]
fn a_soft_limit_that_panics_leaks_nothing() {
    let family = family("soft panic", 16, 8);
    family.set_soft_limit(Limit::units(1), |_| panic!("said so"));
    let one = OwnedBlock::new(family, 1);
    let panicked = std::panic::catch_unwind(|| family.alloc(1));
    assert!(panicked.is_err());
    assert_eq!(figures(family).live_units, 1);
    one.release();
}

#[test]
fn units_without_size_are_limited_by_number() {
    #[derive(MmManaged)]
    struct Token;
    let family = Token::page_family();
    family.set_limit(Limit::bytes(1));
    assert_eq!(family.limit_units(), None);
    family.set_limit(Limit::units(2));
    let two = MmBox::from_fn(2, |_| Token);
    assert!(MmBox::try_new(Token).is_err());
    drop(two);
    drop(MmBox::new(Token));
    family.set_limit(None);
}

/// How many boxes of one unit a family admits, and the limit that refuses one more, in bytes.
fn admitted<T: MmManaged>(make: fn() -> T) -> (usize, u64) {
    let mut admitted = Vec::new();
    loop {
        match MmBox::try_new(make()) {
            Ok(one) if admitted.len() < 10_000 => admitted.push(one),
            Ok(_) => panic!("no limit"),
            Err(AllocError::QuotaExceeded { limit_bytes, .. }) => {
                return (admitted.len(), limit_bytes);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn attributes_limit_a_type_from_its_first_block_on() {
    #[derive(MmManaged)]
    #[mm(max_bytes = "1 KiB")]
    struct Bytes(#[expect(dead_code, reason = "only for its size")] [u8; 100]);

    #[derive(MmManaged)]
    #[mm(max_units = 12)]
    struct Units(#[expect(dead_code, reason = "only for its size")] u64);

    #[derive(MmManaged)]
    #[mm(max_units = 7, max_bytes = 4_096)]
    struct FewUnits(#[expect(dead_code, reason = "only for its size")] u64);

    #[derive(MmManaged)]
    #[mm(max_bytes = "24B", max_units = 1_000)]
    struct FewBytes(#[expect(dead_code, reason = "only for its size")] u64);

    assert_eq!(admitted(|| Bytes([1; 100])), (10, 1_000));
    assert_eq!(admitted(|| Units(1)), (12, 96));
    assert_eq!(admitted(|| FewUnits(1)), (7, 56));
    assert_eq!(admitted(|| FewBytes(1)), (3, 24));
}

#[test]
fn each_instance_has_the_limit_for_itself() {
    #[derive(MmManaged)]
    #[mm(instances(Node<u8>, Node<u32>), max_bytes = 400)]
    struct Node<T>(T);

    assert_eq!(admitted(|| Node(1_u8)), (400, 400));
    let all: Vec<_> = (0..100).map(|_| MmBox::new(Node(1_u32))).collect();
    assert_eq!(admitted(|| Node(1_u8)), (400, 400));
    assert_eq!(admitted(|| Node(1_u32)), (0, 400));
    drop(all);
}

#[test]
fn a_soft_limit_that_panics_counts_units_without_size() {
    #[derive(MmManaged)]
    struct Token;
    let family = Token::page_family();
    family.set_soft_limit(Limit::units(0), |_| panic!("said so"));
    assert!(std::panic::catch_unwind(|| MmBox::new(Token)).is_err());
    family.clear_soft_limit();
    assert_eq!(figures(family).live_units, 0);
}

#[test]
fn a_family_that_is_added_again_stays_in_its_group() {
    static GROUP: LimitGroup = LimitGroup::new(1_000);
    let families = [family("again", 8, 8), family("beside again", 8, 8)];
    families.iter().for_each(|family| GROUP.add(family));
    let held = OwnedBlock::new(families[0], 100);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let adding = scope.spawn(|| {
            while !is_over.load(Relaxed) {
                GROUP.add(families[0]);
            }
        });
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            let admitted = OwnedBlock::try_new(families[1], 100);
            if admitted.is_ok() {
                is_over.store(true, Relaxed);
            }
            is_refused(admitted, 1_000);
        }
        is_over.store(true, Relaxed);
        join_all([adding]);
    });
    held.release();
    assert_eq!(GROUP.live_bytes(), 0);
}

#[test]
fn a_fork_meets_a_family_that_is_limited_before_its_first_block() {
    #[derive(MmManaged)]
    struct Early(#[allow(dead_code, reason = "it takes room")] u64);
    let name = "a_fork_meets_a_family_that_is_limited_before_its_first_block";
    // In a process of its own: others may list all families.
    if !mm_tests::is_child(name, |_| ()) {
        return;
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    Early::page_family().set_limit(Limit::units(5));
                }
            });
        }
        let mut children = (0..300).map(|_| {
            in_a_child(|| {
                Early::page_family().set_limit(Limit::units(9));
                i32::from(MmBox::try_new(Early(1)).is_err())
            })
        });
        let failed = children.find(|child| !child.success());
        is_over.store(true, Relaxed);
        assert_eq!(failed, None);
    });
}

/// A closure that makes room and allocates crosses again, and must not be called for that in itself.
#[test]
fn a_soft_limit_is_not_told_inside_of_itself() {
    static DEEPEST: AtomicUsize = AtomicUsize::new(0);
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    static HELD: Mutex<Vec<OwnedBlock>> = Mutex::new(Vec::new());
    fn alloc(family: &'static PageFamily) {
        let block = OwnedBlock::new(family, 1);
        HELD.lock().unwrap().push(block);
    }
    let family = family("evict", 8, 8);
    family.set_soft_limit(Limit::units(10), |family| {
        let depth = DEPTH.fetch_add(1, Relaxed) + 1;
        DEEPEST.fetch_max(depth, Relaxed);
        if depth < 100 {
            for _ in 0..2 {
                let oldest = HELD.lock().unwrap().remove(0);
                oldest.release();
            }
            // The evicted ones are noted.
            (0..2).for_each(|_| alloc(family));
        }
        DEPTH.fetch_sub(1, Relaxed);
    });
    (0..12).for_each(|_| alloc(family));
    // Each crossing is told of, once the closure is over.
    assert_eq!(DEEPEST.load(Relaxed), 1);
}

/// A limit of units without size is said in units.
#[test]
fn a_refusal_of_units_without_size_makes_sense() {
    #[derive(MmManaged, Debug)]
    struct Token;
    Token::page_family().set_limit(Limit::units(2));
    let two = MmBox::from_fn(2, |_| Token);
    let said = MmBox::try_new(Token)
        .expect_err("over the limit")
        .to_string();
    drop(two);
    assert!(!said.contains("limit is 0 bytes"), "{said}");
}

/// A crossing that is still to be told of belongs to the limit that was crossed.
#[test]
fn a_crossing_is_told_to_the_limit_that_was_crossed() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let family = family("replaced", 8, 8);
    family.set_soft_limit(Limit::units(1), |family| {
        TOLD.fetch_add(1, Relaxed);
        // What the closure brings about itself is told of later.
        family.set_soft_limit(Limit::units(2), |_| panic!("this one is replaced, too"));
        release_all(ones(family, 2));
    });
    let mut held = ones(family, 2);
    assert_eq!(TOLD.load(Relaxed), 1);
    // Far above: it is not crossed.
    family.set_soft_limit(Limit::units(1_000), |_| panic!("not crossed"));
    held.extend(ones(family, 1));
    release_all(held);
    family.clear_soft_limit();
}

/// A closure's own destructors, and what it throws, are caught with the rest.
#[test]
fn what_a_soft_limit_throws_goes_on_whatever_it_is() {
    struct Spiteful;
    impl Drop for Spiteful {
        fn drop(&mut self) {
            std::panic::panic_any("of the destructor");
        }
    }
    let family = family("spiteful", 8, 8);
    family.set_soft_limit(Limit::units(0), |_| std::panic::panic_any(Spiteful));
    let thrown = std::panic::catch_unwind(|| family.alloc(1)).expect_err("a panic");
    assert!(thrown.is::<Spiteful>());
    std::mem::forget(thrown);
    family.clear_soft_limit();
    // It is told of again: mm does not take the closure for one that still runs.
    family.set_soft_limit(Limit::units(0), |_| panic!("again"));
    assert!(std::panic::catch_unwind(|| family.alloc(1)).is_err());
    family.clear_soft_limit();
    assert_eq!(figures(family).live_units, 0);
}

/// Each asks who holds the most, of many families.
#[test]
fn a_refusal_costs_little_however_many_families_there_are() {
    // In a process of its own, for other tests not to be among them.
    if !mm_tests::is_child(
        "a_refusal_costs_little_however_many_families_there_are",
        |_| (),
    ) {
        return;
    }
    for number in 0..2_000 {
        let one = family(&format!("one of many {number}"), 8, 8).alloc(1);
        one.expect("memory");
    }
    let large = family("large", 1_000, 8);
    large.alloc(5).expect("memory");
    let limited = family("limited", 10, 2);
    limited.set_limit(Limit::units(0));
    let refuse = |times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            let refused = limited.alloc(1).expect_err("above the limit").to_string();
            assert!(refused.contains(" `large` (5000 bytes), "), "{refused}");
        }
        start.elapsed()
    };
    // The first asks all.
    let first = refuse(1);
    let next = (0..10).map(|_| refuse(30)).min().expect("some");
    assert!(next < first * 3, "30 take {next:?}, the first {first:?}");
}
