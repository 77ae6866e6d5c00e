//! Tracking: allocations are recorded by call site, thread and age while it is on.

use std::ptr::NonNull;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mm::{FamilyProfile, Kept, MmBox, MmManaged, PageFamily, Track};
use mm_tests::{
    IS_GLOBAL, OwnedBlock, Random, family, figures, join_all, ones, records, release_all,
};

/// The one call site that is in this file at `line`.
fn site_at(profile: &FamilyProfile, line: u32) -> &mm::CallSite {
    let here = |site: &&mm::CallSite| {
        site.location.file.ends_with("tracking.rs") && site.location.line == line
    };
    let mut sites = profile.sites.iter().filter(here);
    let site = sites.next().expect("the line allocated");
    assert!(sites.next().is_none(), "one site for line {line}");
    site
}

/// Blocks of all sizes: single units, rows, long rows, and blocks larger than a VM page.
const SIZES: [usize; 4] = [1, 3, 100, 5_000];

#[test]
fn every_block_has_its_call_site() {
    let family = family("sites", 64, 8);
    let before = OwnedBlock::new(family, 7);
    family.track(Track::All);
    let blocks = SIZES.map(|units| OwnedBlock::new(family, units));
    let (zeroed, line) = (OwnedBlock::zeroed(family, 2), line!());
    let profile = family.profile();
    assert_eq!((profile.live_blocks, profile.live_units), (6, 5_113));
    assert_eq!(
        (profile.unrecorded_blocks, profile.unrecorded_units),
        (1, 7)
    );
    assert_eq!(profile.sites.len(), 2);
    assert_eq!(
        (profile.sites[0].live_blocks, profile.sites[0].live_units),
        (4, 5_104)
    );
    let site = site_at(&profile, line);
    assert_eq!((site.live_blocks, site.live_units), (1, 2));
    assert_eq!(site.thread, "every_block_has_its_call_site");

    zeroed.release();
    let profile = family.profile();
    let site = site_at(&profile, line);
    assert_eq!((site.live_blocks, site.blocks_recorded), (0, 1));
    assert_eq!(site.oldest, None);
    release_all(blocks.into_iter().chain([before]));
    let profile = family.profile();
    assert_eq!((profile.live_blocks, profile.unrecorded_blocks), (0, 0));
    family.check().expect("the walker finds the same");
}

#[derive(MmManaged)]
struct Session(#[allow(dead_code, reason = "it takes room")] [u64; 5]);

#[test]
fn calls_of_the_handle_are_seen_where_they_are() {
    let family = Session::page_family();
    family.track(Track::All);
    let (one, first) = (MmBox::new(Session([1; 5])), line!());
    let (row, second) = (MmBox::from_fn(9, |_| Session([2; 5])), line!());
    let (zeroed, third) = (Session::xcalloc(2), line!());
    let (tried, fourth) = (MmBox::try_new(Session([3; 5])), line!());
    let (rows, fifth) = (Session::try_xcalloc(40), line!());
    let profile = family.profile();
    let units =
        [first, second, third, fourth, fifth].map(|line| site_at(&profile, line).live_units);
    assert_eq!(units, [1, 9, 2, 1, 40]);
    assert_eq!(profile.unrecorded_blocks, 0);
    drop((one, row, zeroed, tried, rows));
    assert_eq!(family.profile().live_blocks, 0);
    family.track(Track::Off);
    assert!(family.profile().sites.is_empty());
}

#[test]
fn every_nth_block_is_recorded() {
    let family = family("samples", 32, 8);
    family.track(Track::Every(10));
    let blocks = ones(family, 100);
    let profile = family.profile();
    assert_eq!(profile.every, 10);
    assert_eq!(profile.sites[0].live_blocks, 10);
    assert_eq!(profile.unrecorded_blocks, 90);
    release_all(blocks);
    assert_eq!(family.profile().sites[0].live_blocks, 0);
}

#[test]
fn a_block_handed_out_again_is_not_taken_for_the_one_before() {
    let family = family("again", 48, 8);
    for round in 0..3_u64 {
        family.track(Track::All);
        let blocks = ones(family, 50);
        let profile = family.profile();
        assert_eq!(profile.sites[0].live_blocks, 50, "round {round}");
        // Released and taken again through caches, while nothing is recorded.
        family.track(Track::Off);
        release_all(blocks);
        let others = ones(family, 60);
        family.track(Track::All);
        let profile = family.profile();
        assert_eq!((profile.live_blocks, profile.unrecorded_blocks), (60, 60));
        assert!(profile.sites.is_empty());
        release_all(others);
    }
    family.check().expect("the walker finds the same");
}

/// A thread that does what it is told and says when it is done.
struct Worker {
    jobs: mpsc::Sender<Box<dyn FnOnce() + Send>>,
    done: mpsc::Receiver<()>,
}

impl Worker {
    fn start(name: &str) -> Self {
        let (jobs, todo) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let (say, done) = mpsc::channel();
        let work = move || {
            for job in todo {
                job();
                let _ = say.send(());
            }
        };
        let builder = thread::Builder::new().name(name.to_owned());
        builder.spawn(work).expect("a thread");
        Self { jobs, done }
    }

    fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.jobs.send(Box::new(job)).expect("the worker waits");
        let limit = Duration::from_mins(1);
        self.done.recv_timeout(limit).expect("the worker did it");
    }
}

#[derive(MmManaged)]
struct Posting(#[allow(dead_code, reason = "it takes room")] [u32; 9]);

#[test]
fn threads_with_full_caches_flush_and_are_seen() {
    let family = Posting::page_family();
    let workers: Vec<_> = (0..4)
        .map(|n| Worker::start(&format!("worker {n}")))
        .collect();
    // Each has units and rows in its cache.
    for worker in &workers {
        worker.run(|| {
            let held: Vec<_> = (0..500).map(|_| MmBox::new(Posting([1; 9]))).collect();
            drop((held, MmBox::from_fn(20, |_| Posting([1; 9]))));
        });
    }
    assert!(figures(family).cached_units > 400);
    family.track(Track::All);
    let (send, held) = mpsc::channel();
    for worker in &workers {
        let send = send.clone();
        worker.run(move || {
            for _ in 0..100 {
                send.send(MmBox::new(Posting([2; 9])))
                    .expect("the test waits");
            }
        });
    }
    drop(send);
    let held: Vec<_> = held.iter().collect();
    let profile = family.profile();
    assert_eq!((profile.live_blocks, profile.unrecorded_blocks), (400, 0));
    let mut threads: Vec<_> = profile.sites.iter().map(|site| site.thread).collect();
    threads.sort_unstable();
    assert_eq!(threads, ["worker 0", "worker 1", "worker 2", "worker 3"]);
    assert!(profile.sites.iter().all(|site| site.live_blocks == 100));
    // Nothing is in a cache, of those that were called.
    assert_eq!(figures(family).cached_units, 0);

    // Released elsewhere, with the same end.
    drop(held);
    assert_eq!(family.profile().live_blocks, 0);
    family.track(Track::Off);
    workers[0].run(|| drop(MmBox::new(Posting([3; 9]))));
    assert!(figures(family).cached_units > 0, "caches are open again");
    family.check().expect("the walker finds the same");
}

#[test]
fn switching_while_threads_allocate_loses_nothing() {
    let family = family("switched", 40, 8);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        let workers = [1, 2, 3].map(|seed| {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut held: Vec<OwnedBlock> = Vec::new();
                let mut random = Random::new(seed);
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) || !held.is_empty() {
                    let over = is_over.load(std::sync::atomic::Ordering::Relaxed);
                    if held.len() < 200 && !over && random.below(2) == 0 {
                        let units = [1, 1, 1, 2, 40][random.below(5)];
                        held.push(OwnedBlock::new(family, units));
                    } else if !held.is_empty() {
                        let block = held.swap_remove(random.below(held.len()));
                        block.release();
                    }
                }
            })
        });
        for round in 0..300 {
            family.track([Track::All, Track::Off, Track::Every(3)][round % 3]);
            let profile = family.profile();
            let recorded: u64 = profile.sites.iter().map(|site| site.live_blocks).sum();
            assert!(recorded <= 600 + 3, "{recorded}");
            if round % 8 == 0 {
                thread::yield_now();
            }
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        join_all(workers);
    });
    family.track(Track::All);
    let profile = family.profile();
    assert_eq!((profile.live_blocks, profile.unrecorded_blocks), (0, 0));
    assert!(profile.sites.iter().all(|site| site.live_blocks == 0));
    family.check().expect("the walker finds the same");
}

#[test]
fn ages_grow() {
    let family = family("ages", 16, 8);
    family.track(Track::All);
    let block = OwnedBlock::new(family, 1);
    thread::sleep(Duration::from_millis(30));
    let oldest = family.profile().sites[0].oldest.expect("it is live");
    assert!((30..60_000).contains(&oldest.as_millis()), "{oldest:?}");
    block.release();
}

#[derive(MmManaged)]
struct Config(#[allow(dead_code, reason = "it takes room")] u64);

#[test]
fn what_is_kept_is_no_leak() {
    let family = Config::page_family();
    let early = Kept::new(MmBox::new(Config(1)));
    family.track(Track::All);
    let late = Kept::new(MmBox::from_fn(5, |_| Config(2)));
    let leaked = MmBox::new(Config(3));
    let profile = family.profile();
    assert_eq!(
        (profile.live_blocks, profile.kept_blocks, profile.kept_units),
        (3, 2, 6)
    );
    assert_eq!((profile.leaked_blocks(), profile.unrecorded_blocks), (1, 0));
    let live: u64 = profile.sites.iter().map(|site| site.live_blocks).sum();
    assert_eq!(live, 1);
    drop(leaked);
    assert!(mm::leaks().family("Config").is_none());

    let late = Kept::into_inner(late);
    assert_eq!(family.profile().leaked_units(), 5);
    drop((early, late));
    let profile = family.profile();
    assert_eq!((profile.live_blocks, profile.kept_blocks), (0, 0));
}

/// Its units have no size.
#[derive(MmManaged)]
struct Empty;

#[test]
fn families_to_come_begin_as_all_do() {
    // In a process of its own: all families are meant.
    if !mm_tests::is_child("families_to_come_begin_as_all_do", |_| ()) {
        return;
    }
    let old = family("old", 8, 8);
    let before = OwnedBlock::new(old, 1);
    mm::track(Track::All);
    let new = family("new", 8, 8);
    let (one, two) = (OwnedBlock::new(old, 1), OwnedBlock::new(new, 1));
    let boxed = MmBox::new(Config(1));
    assert_eq!(old.profile().sites[0].live_blocks, 1);
    assert_eq!(new.profile().sites[0].live_blocks, 1);
    assert_eq!(Config::page_family().profile().unrecorded_blocks, 0);
    let text = mm::leaks().to_string();
    assert!(
        text.starts_with("3 page families hold 4 blocks, 32 B"),
        "{text}"
    );
    assert!(text.contains("8 B in 1 block at "), "{text}");
    assert!(
        text.contains("8 B in 1 block allocated before tracking"),
        "{text}"
    );
    let empty = Empty::xcalloc(3);
    let text = mm::leaks().to_string();
    let never = "0 B in 1 block of 3 units not recorded, since units without a size never are";
    assert!(text.contains(never), "{text}");
    drop(empty);
    mm::track(Track::Off);
    assert_eq!(new.profile().unrecorded_blocks, 1);
    release_all([before, one, two]);
    drop(boxed);
    assert!(mm::leaks().is_empty());
}

#[inline(never)]
fn allocates_deep_inside(family: &'static PageFamily) -> NonNull<u8> {
    std::hint::black_box(family.alloc(1).expect("memory"))
}

#[test]
fn backtraces_name_the_functions() {
    // In a process of its own: all families are meant.
    if !mm_tests::is_child_with("backtraces_name_the_functions", "track,backtrace=40") {
        return;
    }
    let family = family("deep", 8, 8);
    let block = allocates_deep_inside(family);
    let profile = family.profile();
    let frames = profile.sites[0].backtrace().into_iter();
    let names: Vec<_> = frames
        .map(|frame| frame.function.unwrap_or_default())
        .collect();
    assert!(names[0].contains("allocates_deep_inside"), "{names:#?}");
    assert!(
        names[1].contains("backtraces_name_the_functions"),
        "{names:#?}"
    );
    let text = profile.to_string();
    assert!(
        text.contains("in tracking::allocates_deep_inside ("),
        "{text}"
    );
    mm::record_backtraces(0);
    let flat = family.alloc(1).expect("memory");
    assert!(
        family
            .profile()
            .sites
            .iter()
            .any(|site| site.frames.is_empty())
    );
    for block in [block, flat] {
        // SAFETY: the block is live and ours.
        unsafe { family.release(block) }.expect("live");
    }
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
                Some(s) if s.location.file.ends_with("tracking.rs") => {}
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
    check!(MmBox::<[At]>::from_iter([At(1)]));
    check!(row.clone().into_iter().clone());
    check!(Kept::new(MmBox::new(At(1))));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_recorded_takes_no_memory_any_more_when_tracking_ends() {
    // In a process of its own: what mm's records take is asked.
    let name = "what_is_recorded_takes_no_memory_any_more_when_tracking_ends";
    if !mm_tests::is_child(name, |_| ()) {
        return;
    }
    let is_measured = mm::snapshot().resident_is_measured;
    let records = || records(&mm::snapshot());
    let family = family("many", 16, 8);
    let before = ones(family, 200_000);
    let untracked = records();
    family.track(Track::All);
    let after = ones(family, 200_000);
    let tracked = records();
    assert!(
        !is_measured || tracked > untracked + 200_000 * 16,
        "{untracked}, {tracked}"
    );
    family.track(Track::Off);
    assert!(
        !is_measured || records() < untracked + 400_000,
        "{untracked}, {}",
        records()
    );
    // And again, in the same places.
    family.track(Track::All);
    let again = ones(family, 1_000);
    let profile = family.profile();
    assert_eq!(
        (profile.sites[0].live_blocks, profile.unrecorded_blocks),
        (1_000, 400_000)
    );
    release_all(before.into_iter().chain(after).chain(again));
    family.check().expect("the walker finds the same");
}

/// Each bit of `path` is a call from another place, so that each path has a stack of its own.
#[inline(never)]
fn allocates_along(path: u32, depth: u32, family: &'static PageFamily) -> NonNull<u8> {
    let block = match (depth, path & 1) {
        (0, _) => family.alloc(1).expect("memory"),
        (_, 0) => allocates_along(path >> 1, depth - 1, family),
        _ => std::hint::black_box(allocates_along(path >> 1, depth - 1, family)),
    };
    std::hint::black_box(block)
}

#[test]
fn call_sites_are_bounded_and_go() {
    const STACKS: u32 = 40_000;
    // In a process of its own: what mm's records take is asked.
    if !mm_tests::is_child_with("call_sites_are_bounded_and_go", "backtrace=64") {
        return;
    }
    let family = family("deep", 8, 8);
    // What so many blocks take without being recorded is there before.
    release_all(ones(family, STACKS as usize));
    mm::trim();
    let before = records(&mm::snapshot());
    let more = || records(&mm::snapshot()).saturating_sub(before);
    for round in 0..2 {
        family.track(Track::All);
        let allocate = |path| allocates_along(path, 16, family);
        let blocks: Vec<_> = (0..STACKS).map(allocate).collect();
        let tags = 16 * u64::from(STACKS) + (1 << 20);
        assert!(more() <= (12 << 20) + tags, "{round}: {}", more());
        let profile = family.profile();
        let sum: u64 = profile.sites.iter().map(|site| site.live_blocks).sum();
        assert_eq!((sum, profile.unrecorded_blocks), (u64::from(STACKS), 0));
        let others = profile.sites.iter().find(|site| site.is_others());
        let others = others.expect("there is no room for so many");
        assert!(others.live_blocks > 1 && others.frames.is_empty());
        let text = profile.to_string();
        assert!(text.contains("at (other call sites: the 12 MiB "), "{text}");
        assert!(profile.sites.len() > 10_000, "{}", profile.sites.len());
        family.track(Track::Off);
        for block in blocks {
            // SAFETY: the block is live and ours.
            unsafe { family.release(block) }.expect("live");
        }
        assert!(family.profile().sites.is_empty());
        mm::trim();
        // Of the tags, what does not fill an OS page stays.
        // If mm is the global allocator, what was copied has records of its pages.
        let most = if IS_GLOBAL { 1 << 20 } else { 64 << 10 };
        assert!(more() <= most, "{round}: {}", more());
        // What was copied is the program's own.
        let stack = profile.sites.iter().map(|site| &site.frames).max();
        assert!(stack.is_some_and(|stack| stack.len() > 16));
    }
}
