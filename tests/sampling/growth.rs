//! The watcher and call sites of untyped memory.

use std::hint::black_box;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::alone;

/// Leaks a block, from one of two stacks of one call site.
#[inline(never)]
fn leak(nth: usize) {
    if nth.is_multiple_of(2) {
        leak_here();
    } else {
        leak_there();
    }
    black_box(());
}

#[inline(never)]
fn leak_here() {
    forget();
    black_box(());
}

#[inline(never)]
fn leak_there() {
    forget();
    black_box(());
}

#[inline(never)]
fn forget() {
    std::mem::forget(black_box(vec![1_u8; 1_000]));
}

/// Bytes of code of [`forget`], at most.
const CODE: usize = 200;

/// A second of the watcher: a look.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes that leak between two looks, as 20 KiB would in a second.
const BYTES: usize = 20 << 10;

/// Other work: what comes and goes, of the same class and of others.
fn work(nth: usize, kept: &mut [Option<Vec<u8>>]) {
    let count = kept.len();
    kept[nth * 7_919 % count] = Some(vec![1; 500 + nth * 31 % 1_000]);
    drop(black_box(vec![1_u8; 1_000]));
}

#[test]
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn a_leak_of_20_kib_a_second_is_named_by_its_site() {
    let _alone = alone();
    let name = "growth::a_leak_of_20_kib_a_second_is_named_by_its_site";
    if !mm_tests::is_child_with(name, "sample=64KiB") {
        return;
    }
    let mut kept = vec![None; 4_000];
    (0..100_000).for_each(|nth| work(nth, &mut kept));
    let (send, named) = mpsc::channel();
    let watch = mm::watch()
        .every(LOOK)
        .on_growth(|_| ())
        .on_site_growth(move |growth| drop(send.send((Instant::now(), growth.clone()))));
    let start = Instant::now();
    let watch = watch.start().expect("a thread");
    let mut leaked = 0;
    let end = Duration::from_mins(1);
    let growth = loop {
        let due = start.elapsed().as_secs_f64() / LOOK.as_secs_f64() * BYTES as f64;
        while (leaked as f64) < due {
            leak(leaked / 1_000);
            leaked += 1_000;
        }
        (0..50).for_each(|nth| work(leaked + nth, &mut kept));
        if let Ok((at, growth)) = named.try_recv() {
            // 39 looks on average; far more would be no minute.
            let looks = (at - start).as_secs_f64() / LOOK.as_secs_f64();
            println!("{growth} after {looks:.0} looks");
            assert!(looks < 200.0, "{looks}");
            break growth;
        }
        assert!(start.elapsed() < end, "nothing was named");
        std::thread::sleep(Duration::from_millis(1));
    };
    let own = forget as fn() as usize;
    let is_own = |address: usize| (own..own + CODE).contains(&address);
    assert!(
        growth.addresses.iter().copied().any(is_own),
        "{growth:?} is not at {own:#x}"
    );
    assert!(
        growth.site.contains("sampling/growth.rs:") && growth.site.contains("forget"),
        "{growth:?}"
    );
    // Code that is not optimised has functions that no debug information describes.
    let type_name = growth.type_name.as_deref();
    assert!(matches!(type_name, None | Some("Vec<u8>")), "{growth:?}");
    let rate = growth.bytes_per_second * LOOK.as_secs_f64();
    assert!((0.3..3.0).contains(&(rate / BYTES as f64)), "{rate}");
    let all = watch.growing_sites();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].site, growth.site);
    drop(watch);
}

#[test]
fn sites_whose_blocks_come_and_go_are_not_named() {
    let _alone = alone();
    let name = "growth::sites_whose_blocks_come_and_go_are_not_named";
    if !mm_tests::is_child_with(name, "sample=4KiB") {
        return;
    }
    let mut kept = vec![None; 4_000];
    (0..100_000).for_each(|nth| work(nth, &mut kept));
    let watch = mm::watch().every(Duration::from_millis(5));
    let watch = watch
        .on_growth(|_| ())
        .on_site_growth(|growth| panic!("{growth}"));
    let watch = watch.start().expect("a thread");
    let start = Instant::now();
    let mut nth = 0;
    while start.elapsed() < Duration::from_secs(3) {
        (0..50).for_each(|more| work(nth + more, &mut kept));
        nth += 50;
        std::thread::sleep(Duration::from_millis(1));
    }
    let all = watch.growing_sites();
    assert!(all.is_empty(), "{all:?}");
    drop(watch);
}
