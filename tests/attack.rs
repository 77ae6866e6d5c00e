//! What is open: each of these tests fails, or fails now and then.

use std::cell::RefCell;
use std::panic::catch_unwind;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread;
use std::time::{Duration, Instant};

use mm::{Kept, Limit, LimitGroup, MmBox, MmManaged, PageFamily, Track};
use mm_tests::{family, figures, in_a_child, release};

#[derive(MmManaged)]
struct Stale(#[allow(dead_code, reason = "it takes room")] [u64; 4]);

/// An outer scope counts what an inner one gave up on.
#[test]
fn an_outer_scope_sees_leaks_of_an_inner_one_that_panicked() {
    let outer = catch_unwind(|| {
        mm::no_leaks(|_| {
            let inner = catch_unwind(|| {
                mm::no_leaks(|_| {
                    let _ = MmBox::leak(MmBox::new(Stale([3; 4])));
                    panic!("for another reason");
                });
            });
            assert!(inner.is_err());
        });
    });
    assert!(
        outer.is_err(),
        "the body allocated a block that is still live"
    );
}

/// What a `Kept` gave up, and somebody released by address, hides no leak.
#[test]
fn a_kept_block_released_by_address_hides_no_leak() {
    #[derive(MmManaged)]
    struct Hidden(#[allow(dead_code, reason = "it takes room")] u64);
    let family = Hidden::page_family();
    let kept = Kept::leak(Kept::new(MmBox::new(Hidden(1))));
    // SAFETY: it came out of a handle, and nobody uses it.
    unsafe { mm::xfree_raw(NonNull::from(kept).cast()) }.expect("live");
    let _ = MmBox::leak(MmBox::new(Hidden(2)));
    let profile = family.profile();

    assert_eq!(profile.leaked_blocks(), 1);
}

/// Says what scopes cost that come one after the other while all is tracked.
#[test]
fn scopes_one_after_the_other_cost_the_same() {
    if !mm_tests::is_child("scopes_one_after_the_other_cost_the_same", |_| ()) {
        return;
    }
    mm::track(Track::All);
    let mut times = Vec::new();
    for _ in 0..6 {
        let start = Instant::now();
        for _ in 0..2_000 {
            mm::no_leaks(|_| drop(MmBox::new(Stale([1; 4]))));
        }
        times.push(start.elapsed());
    }
    println!("{times:?}");
    assert!(times[5] < times[0] * 3, "{times:?}");
    let sites = Stale::page_family().profile().sites.len();
    assert!(sites < 10, "{sites}");
}

/// Which call site the API gives.
#[test]
fn call_sites_are_the_callers() {
    #[derive(MmManaged, Clone, Default, Debug)]
    struct At(#[allow(dead_code, reason = "it takes room")] u64);
    let family = At::page_family();
    family.track(Track::All);
    let mut wrong = Vec::new();
    macro_rules! check {
        ($make:expr) => {{
            let before: Vec<_> = family
                .profile()
                .sites
                .iter()
                .map(|s| (s.location, s.blocks_recorded))
                .collect();
            let made = $make;
            let profile = family.profile();
            let new = profile
                .sites
                .iter()
                .find(|s| !before.contains(&(s.location, s.blocks_recorded)));
            match new {
                Some(s) if s.location.file.ends_with("attack.rs") => {}
                Some(s) => wrong.push(format!(
                    "{} -> {}:{}",
                    stringify!($make),
                    s.location.file,
                    s.location.line
                )),
                None => wrong.push(format!("{} -> none", stringify!($make))),
            }
            made
        }};
    }
    let one = check!(MmBox::new(At(1)));
    let row = check!(MmBox::from_fn(3, |_| At(1)));
    check!(MmBox::try_new(At(1)).unwrap());
    check!(MmBox::try_from_fn(3, |_| At(1)).unwrap());
    check!(MmBox::pin(At(1)));
    check!(one.clone());
    check!(row.clone());
    let mut other = MmBox::from_fn(2, |_| At(1));
    check!(other.clone_from(&row));
    check!(MmBox::<At>::default());
    check!(MmBox::<At>::from(At(1)));
    check!({
        let b: MmBox<At> = At(1).into();
        b
    });
    check!(MmBox::<At>::from(Box::new(At(1))));
    check!(MmBox::<[At]>::from(vec![At(1)]));
    check!(MmBox::<[At]>::from(vec![At(1)].into_boxed_slice()));
    check!(MmBox::<[At]>::from([At(1)]));
    check!(MmBox::<[At]>::from(&[At(1)][..]));
    check!(MmBox::<[At]>::from(&mut [At(1)][..]));
    check!(MmBox::<[At]>::from(std::borrow::Cow::Borrowed(
        &[At(1)][..]
    )));
    check!([At(1)].into_iter().collect::<MmBox<[At]>>());
    check!(MmBox::<[At]>::from_iter([At(1)]));
    check!(row.clone().into_iter().clone());
    check!(Kept::new(MmBox::new(At(1))));
    check!(vec![MmBox::new(At(1))].clone());
    check!(
        std::iter::repeat_with(|| At(1))
            .take(3)
            .map(MmBox::new)
            .collect::<Vec<_>>()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A closure that makes room and allocates crosses again, in itself, for ever.
#[test]
fn a_soft_limit_is_not_told_inside_of_itself() {
    static DEEPEST: AtomicU64 = AtomicU64::new(0);
    static DEPTH: AtomicU64 = AtomicU64::new(0);
    static HELD: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    fn alloc(family: &'static PageFamily) {
        let block = family.alloc(1).expect("memory");
        HELD.lock()
            .unwrap()
            .push(block.as_ptr().expose_provenance());
    }
    let family = family("evict", 8, 8);
    family.set_soft_limit(Limit::units(10), |family| {
        let depth = DEPTH.fetch_add(1, Relaxed) + 1;
        DEEPEST.fetch_max(depth, Relaxed);
        if depth < 100 {
            for _ in 0..2 {
                let oldest = HELD.lock().unwrap().remove(0);
                let block = NonNull::new(std::ptr::with_exposed_provenance_mut(oldest)).unwrap();
                // SAFETY: live and ours.
                unsafe { release(family, block) };
            }
            // The evicted ones are noted.
            (0..2).for_each(|_| alloc(family));
        }
        DEPTH.fetch_sub(1, Relaxed);
    });
    (0..12).for_each(|_| alloc(family));
    assert_eq!(DEEPEST.load(Relaxed), 1);
}

/// What a group says is right when nobody calls any more. Fails now and then: a call that was in
/// flight when the family was added is counted at the family's next call, if there is one.
#[test]
fn a_group_is_right_when_nobody_calls() {
    static GROUP: LimitGroup = LimitGroup::new(1 << 40);
    let family = family("drift", 64, 8);
    let (go, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let (mut rounds, mut wrong) = (0_u64, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut seen = 0;
            loop {
                while go.load(Acquire) == seen {
                    if is_over.load(Relaxed) {
                        return;
                    }
                    std::hint::spin_loop();
                }
                seen += 1;
                for _ in 0..20 {
                    let _ = family.alloc(1).expect("memory");
                }
                done.fetch_add(1, Release);
            }
        });
        let until = Instant::now() + Duration::from_secs(4);
        while Instant::now() < until {
            rounds += 1;
            go.fetch_add(1, Release);
            for _ in 0..(rounds * 7 % 400) {
                std::hint::spin_loop();
            }
            GROUP.add(family);
            while done.load(Acquire) < rounds {
                std::hint::spin_loop();
            }
            wrong += u64::from(GROUP.live_bytes() != figures(family).live_bytes);
            GROUP.remove(family);
        }
        is_over.store(true, Relaxed);
    });
    assert_eq!(wrong, 0, "of {rounds} rounds");
}

thread_local! {
    static HELD: RefCell<Option<MmBox<Stale>>> = const { RefCell::new(None) };
}

/// `std::thread::scope` does not wait for thread-locals, and the documentation of `LeakScope::run`
/// shows it.
#[test]
fn a_scoped_thread_with_a_thread_local_is_not_accused() {
    let accused = (0..200).filter(|_| {
        catch_unwind(|| {
            mm::no_leaks(|scope| {
                thread::scope(|threads| {
                    threads.spawn(|| scope.run(|| HELD.set(Some(MmBox::new(Stale([1; 4]))))));
                });
            });
        })
        .is_err()
    });
    assert_eq!(accused.count(), 0, "of 200");
}

/// A child does not have the threads whose scopes it counts.
#[test]
fn a_forked_child_ends_the_scopes_of_vanished_threads() {
    if !mm_tests::is_child("a_forked_child_ends_the_scopes_of_vanished_threads", |_| ()) {
        return;
    }
    let (inside, wait) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        mm::no_leaks(|_| {
            inside.send(()).expect("the test waits");
            let _ = ended.recv();
        });
    });
    wait.recv().expect("it is inside");
    let child = in_a_child(|| {
        drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
        drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
        // Of a thread that has a cache again, some are cached. A snapshot would flush it.
        let is_cached = thread::spawn(|| {
            drop((MmBox::new(Stale([1; 4])), MmBox::new(Stale([1; 4]))));
            let look = thread::spawn(|| figures(Stale::page_family()).cached_units);
            look.join().is_ok_and(|units| units > 0)
        });
        i32::from(!is_cached.join().is_ok_and(|is| is))
    });
    drop(end);
    thread.join().expect("no leak");
    assert!(child.success(), "every call takes the lock for ever");
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
