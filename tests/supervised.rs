//! Tracking, limits, groups and scopes together: what profiles and groups say adds up.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mm::{FamilyProfile, Kept, Limit, LimitGroup, MmBox, MmManaged, Track};
use mm_tests::{Random, figures, in_a_child, join_all};

fn adds_up(profile: &FamilyProfile) {
    let blocks: u64 = profile.sites.iter().map(|site| site.live_blocks).sum();
    let units: u64 = profile.sites.iter().map(|site| site.live_units).sum();
    assert_eq!(
        (profile.live_blocks, profile.live_units),
        (
            blocks + profile.unrecorded_blocks + profile.kept_blocks,
            units + profile.unrecorded_units + profile.kept_units
        ),
        "{profile}"
    );
}

#[derive(MmManaged)]
struct Mixed(#[allow(dead_code, reason = "it takes room")] [u64; 5]);

/// Everything at once, by one thread at a time: what a profile says adds up.
#[test]
fn profiles_add_up() {
    if !mm_tests::is_child("profiles_add_up", |_| ()) {
        return;
    }
    for seed in 1..=40_u64 {
        mixed(seed);
    }
}

#[test]
fn profiles_add_up_hardened() {
    if !mm_tests::is_child_with(
        "profiles_add_up_hardened",
        "poison,quarantine=64KiB,guard,random",
    ) {
        return;
    }
    for seed in 1..=40_u64 {
        mixed(seed);
    }
}

fn mixed(seed: u64) {
    static GROUP: LimitGroup = LimitGroup::new(1 << 40);
    let family = Mixed::page_family();
    let mut held: Vec<(MmBox<[Mixed]>, bool)> = Vec::new();
    let mut kept: Vec<Kept<[Mixed]>> = Vec::new();
    let mut random = Random::new(seed);
    let mut tracked = false;
    for _ in 0..1_500 {
        let sizes = [1, 1, 1, 2, 7, 33, 100, 400, 2_000, 9_000];
        match random.below(24) {
            0..=7 => {
                let units = sizes[random.below(sizes.len())];
                held.push((MmBox::from_fn(units, |_| Mixed([7; 5])), tracked));
            }
            8..=14 if !held.is_empty() => {
                let (block, _) = held.swap_remove(random.below(held.len()));
                match random.below(4) {
                    0 => drop(block),
                    1 => thread::spawn(move || drop(block)).join().unwrap(),
                    2 => {
                        let raw = MmBox::into_raw(block);
                        // SAFETY: it came out of `into_raw`.
                        unsafe { mm::xfree_raw(NonNull::new(raw).unwrap().cast()) }.unwrap();
                    }
                    _ => kept.push(Kept::new(block)),
                }
            }
            15 if !kept.is_empty() => drop(kept.swap_remove(random.below(kept.len()))),
            16 if !kept.is_empty() => {
                let block = Kept::into_inner(kept.swap_remove(random.below(kept.len())));
                held.push((block, false));
            }
            17 => {
                family.track(Track::All);
                tracked = true;
            }
            18 => {
                family.track(Track::Off);
                tracked = false;
                held.iter_mut().for_each(|(_, is)| *is = false);
                assert!(family.profile().sites.is_empty());
            }
            19 => {
                mm::trim();
            }
            20 => {
                let units = sizes[random.below(sizes.len())];
                mm::no_leaks(|_| drop(MmBox::from_fn(units, |_| Mixed([7; 5]))));
            }
            21 => GROUP.add(family),
            22 => GROUP.remove(family),
            _ => {
                family.set_limit(Limit::units(1 << 40));
                if random.below(2) == 0 {
                    family.set_limit(None);
                }
            }
        }
        let profile = family.profile();
        adds_up(&profile);
        let blocks = held.len() + kept.len();
        let units: usize = held.iter().map(|(b, _)| b.len()).sum::<usize>()
            + kept.iter().map(|k| k.len()).sum::<usize>();
        assert_eq!(
            (profile.live_blocks, profile.live_units),
            (blocks as u64, units as u64),
            "seed {seed}"
        );
        assert_eq!(profile.kept_blocks, kept.len() as u64);
        let recorded: u64 = profile.sites.iter().map(|s| s.live_blocks).sum();
        let sure = held.iter().filter(|(_, is)| *is).count() as u64;
        assert!(recorded >= sure, "seed {seed}: {recorded} < {sure}");
        if !tracked {
            assert_eq!(recorded, 0, "seed {seed}");
        }
    }
    GROUP.remove(family);
    family.set_limit(None);
    family.track(Track::Off);
    drop((held, kept));
    assert_eq!(figures(family).live_units, 0);
    assert_eq!(GROUP.live_bytes(), 0);
}

#[derive(MmManaged)]
struct Busy([u64; 3]);

/// All at once, by several threads that start, end and hand over; then nothing is left anywhere.
#[test]
fn everything_at_once() {
    if !mm_tests::is_child("everything_at_once", |_| ()) {
        return;
    }
    busy();
}

#[test]
fn everything_at_once_hardened() {
    if !mm_tests::is_child_with(
        "everything_at_once_hardened",
        "poison,quarantine=16KiB,random",
    ) {
        return;
    }
    busy();
}

fn busy() {
    static GROUPS: [LimitGroup; 2] = [LimitGroup::new(1 << 40), LimitGroup::new(1 << 40)];
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let family = Busy::page_family();
    let over = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_secs(3);
    let (send, receive) = channel::<MmBox<[Busy]>>();
    let receive = Mutex::new(receive);
    thread::scope(|scope| {
        for seed in 1..=3_u64 {
            let (send, receive, over) = (send.clone(), &receive, &over);
            scope.spawn(move || {
                let mut seed = seed;
                while !over.load(Relaxed) {
                    // A thread that ends now and then.
                    seed += 77;
                    let send = send.clone();
                    thread::scope(|inner| {
                        join_all([inner.spawn(move || worker(seed, &send, receive))]);
                    });
                }
            });
        }
        let mut round = 0_usize;
        while Instant::now() < until {
            round += 1;
            match round % 11 {
                0 => mm::track(Track::All),
                1 => GROUPS[0].add(family),
                2 => family.set_limit(Limit::units(1 << 40)),
                3 => mm::no_leaks(|_| drop(MmBox::from_fn(1 + round % 50, |_| Busy([1; 3])))),
                4 => GROUPS[1].add(family),
                5 => {
                    family.set_soft_limit(Limit::units(50), |_| {
                        TOLD.fetch_add(1, Relaxed);
                    });
                }
                6 => family.set_limit(None),
                7 => mm::track(Track::Off),
                8 => {
                    GROUPS[0].remove(family);
                    GROUPS[1].remove(family);
                }
                9 => family.clear_soft_limit(),
                _ if round.is_multiple_of(7) => {
                    let status = in_a_child(|| {
                        drop(MmBox::new(Busy([5; 3])));
                        let before = family.profile().live_units;
                        drop(MmBox::from_fn(60, |_| Busy([5; 3])));
                        let ok = family.check().is_ok() && family.profile().live_units == before;
                        i32::from(!ok)
                    });
                    assert!(status.success(), "{status}");
                }
                _ => {
                    mm::trim();
                }
            }
            let profile = family.profile();
            assert!(profile.live_units < 10_000_000);
            thread::yield_now();
        }
        over.store(true, Relaxed);
    });
    drop(send);
    drop(receive);
    println!("told {}", TOLD.load(Relaxed));
    for group in &GROUPS {
        group.add(family);
        group.remove(family);
        assert_eq!(group.live_bytes(), 0);
    }
    family.clear_soft_limit();
    family.set_limit(None);
    mm::track(Track::All);
    let profile = family.profile();
    adds_up(&profile);
    assert_eq!(
        (profile.live_blocks, profile.live_units),
        (0, 0),
        "{profile}"
    );
    mm::track(Track::Off);
    let profile = family.profile();
    assert!(profile.sites.is_empty());
    let figures = figures(family);
    assert_eq!((figures.live_units, figures.live_blocks), (0, 0));
}

fn worker(seed: u64, send: &Sender<MmBox<[Busy]>>, receive: &Mutex<Receiver<MmBox<[Busy]>>>) {
    let mut random = Random::new(seed);
    let mut held: Vec<MmBox<[Busy]>> = Vec::new();
    let mut ones: Vec<MmBox<Busy>> = Vec::new();
    let mut kept: Vec<Kept<[Busy]>> = Vec::new();
    for _ in 0..3_000 {
        match random.below(8) {
            0 | 1 => {
                let units = [1, 2, 5, 33, 100, 450, 4_000][random.below(7)];
                let block = MmBox::from_fn(units, |n| Busy([n as u64; 3]));
                assert!(
                    block
                        .iter()
                        .enumerate()
                        .all(|(n, busy)| busy.0 == [n as u64; 3])
                );
                held.push(block);
            }
            2 => {
                for n in 0..20_u64 {
                    ones.push(MmBox::new(Busy([n, seed, n])));
                }
            }
            3 if !ones.is_empty() => {
                let at = random.below(ones.len());
                for one in ones.drain(at..) {
                    assert!(one.0[0] == one.0[2] && one.0[1] == seed);
                }
            }
            4 if !held.is_empty() => {
                let block = held.swap_remove(random.below(held.len()));
                if send.send(block).is_err() {
                    return;
                }
            }
            5 => {
                if let Ok(block) = receive
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .try_recv()
                {
                    assert!(
                        block
                            .iter()
                            .enumerate()
                            .all(|(n, busy)| busy.0 == [n as u64; 3])
                    );
                    kept.push(Kept::new(block));
                }
            }
            6 => kept.truncate(random.below(4)),
            _ => held.truncate(random.below(20)),
        }
    }
}

extern "C" fn at_the_end() {
    std::mem::forget(MmBox::new(Mixed([9; 5])));
    eprintln!("at_the_end was fine");
}

/// Allocates in `atexit` on a thread that never did before.
#[test]
fn tracked_allocations_at_exit_work() {
    let name = "tracked_allocations_at_exit_work";
    let Some(output) = mm_tests::again(name, |_| ()) else {
        mm::track(Track::All);
        // SAFETY: the function is there for as long as the process.
        unsafe { libc::atexit(at_the_end) };
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(said.contains("fine"));
}

extern "C" fn last(_: *mut libc::c_void) {
    at_the_end();
}

/// Allocates in the destructor of a C thread-local.
#[test]
fn tracked_allocations_after_the_thread_locals_work() {
    let name = "tracked_allocations_after_the_thread_locals_work";
    let Some(output) = mm_tests::again(name, |_| ()) else {
        mm::track(Track::All);
        thread::spawn(|| {
            let mut key = 0;
            // SAFETY: the key is ours.
            unsafe { libc::pthread_key_create(&raw mut key, Some(last)) };
            // SAFETY: as above.
            unsafe { libc::pthread_setspecific(key, NonNull::<u8>::dangling().as_ptr().cast()) };
        })
        .join()
        .unwrap();
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(said.contains("fine"));
}
