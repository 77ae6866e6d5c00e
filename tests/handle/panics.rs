//! Panics in destructors, closures and clones: nothing leaks, nothing is dropped twice.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use mm::{MmBox, MmManaged};

use crate::support::{Census, Token, live, panics};

#[test]
fn a_destructor_panics_and_the_block_is_released() {
    #[derive(MmManaged)]
    struct Bomb(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let bomb = MmBox::new(Bomb(census.bomb()));
    assert!(panics(|| drop(bomb)));
    assert_eq!(
        (live::<Bomb>(), census.alive(), census.dropped()),
        ((0, 0), 0, 1)
    );
}

#[test]
fn a_destructor_in_a_row_panics_and_the_others_run() {
    #[derive(MmManaged)]
    struct Mine(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let row = MmBox::from_fn(5, |index| {
        Mine(if index == 1 {
            census.bomb()
        } else {
            census.token()
        })
    });
    assert!(panics(|| mm::xfree(row)));
    assert_eq!(
        (live::<Mine>(), census.alive(), census.dropped()),
        ((0, 0), 0, 5)
    );
}

#[test]
fn a_closure_panics_and_what_was_made_goes() {
    #[derive(MmManaged)]
    struct Half(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    for stop in 0..4 {
        let make = |index| {
            assert!(index < stop, "no more");
            Half(census.token())
        };
        assert!(panics(|| MmBox::from_fn(4, make)));
        assert!(panics(|| MmBox::try_from_fn(4, make)));
        assert_eq!((live::<Half>(), census.alive()), ((0, 0), 0));
    }
    assert_eq!(census.dropped(), 2 * (1 + 2 + 3));
}

#[test]
fn the_panic_of_the_closure_goes_on() {
    #[derive(MmManaged, Debug)]
    struct Never;

    let caught =
        catch_unwind(|| MmBox::from_fn(1, |_| -> Never { std::panic::panic_any("the very one") }));
    assert_eq!(
        *caught.unwrap_err().downcast::<&str>().unwrap(),
        "the very one"
    );
}

#[test]
fn a_clone_panics_and_what_was_cloned_goes() {
    #[derive(MmManaged, Clone)]
    struct Sheep(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let row = MmBox::from_fn(4, |_| Sheep(census.token()));
    for last in 1..=4 {
        census.last_clone.set(last);
        assert!(panics(|| row.clone()));
        assert_eq!((live::<Sheep>(), census.alive()), ((1, 4), 4));
    }
    let one = MmBox::new(Sheep(census.token()));
    census.last_clone.set(1);
    assert!(panics(|| one.clone()));
    assert_eq!((live::<Sheep>(), census.alive()), ((2, 5), 5));
}

#[test]
fn a_panicking_clone_from_leaves_a_whole_row() {
    #[derive(MmManaged, Clone)]
    struct Ewe(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let source = MmBox::from_fn(3, |_| Ewe(census.token()));
    for units in [3, 2] {
        let mut target = MmBox::from_fn(units, |_| Ewe(census.token()));
        census.last_clone.set(2);
        assert!(panics(|| target.clone_from(&source)));
        assert_eq!(target.len(), units);
    }
    drop(source);
    assert_eq!((live::<Ewe>(), census.alive()), ((0, 0), 0));
}

#[test]
fn a_destructor_panics_while_iterating() {
    #[derive(MmManaged)]
    struct Shell(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let make = |index| {
        Shell(if index == 2 {
            census.bomb()
        } else {
            census.token()
        })
    };

    // The bomb is handed out and goes off in the loop, or is among those left behind.
    assert!(panics(|| MmBox::from_fn(5, make)
        .into_iter()
        .for_each(drop)));
    assert_eq!((live::<Shell>(), census.alive()), ((0, 0), 0));
    assert!(panics(|| drop(MmBox::from_fn(5, make).into_iter())));
    assert_eq!((live::<Shell>(), census.alive()), ((0, 0), 0));
    assert_eq!(census.dropped(), 10);
}

#[test]
fn a_panicking_comparison_harms_nothing() {
    #[derive(MmManaged)]
    struct Moody(#[expect(dead_code, reason = "counts")] Token);
    impl PartialEq for Moody {
        fn eq(&self, _: &Self) -> bool {
            panic!("incomparable")
        }
    }

    let census = Census::default();
    let pair = [
        MmBox::new(Moody(census.token())),
        MmBox::new(Moody(census.token())),
    ];
    assert!(panics(|| pair[0] == pair[1]));
    drop(pair);
    assert_eq!((live::<Moody>(), census.alive()), ((0, 0), 0));
}

#[test]
fn an_overflow_panics_with_the_same_sentence_at_the_caller() {
    #[derive(MmManaged)]
    struct Big(#[expect(dead_code, reason = "only for its size")] [u64; 2]);

    std::thread_local! {
        static SEEN: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|at| (at.file().to_owned(), at.line()));
        SEEN.with_borrow_mut(|seen| *seen = place);
        before(info);
    }));

    let here = Location::caller();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        MmBox::from_fn(usize::MAX, |_| Big([0; 2]))
    }));
    let Err(said) = caught else {
        panic!("made more than there is")
    };
    let refused = MmBox::try_from_fn(usize::MAX, |_| Big([0; 2]))
        .err()
        .unwrap();
    assert_eq!(*said.downcast::<String>().unwrap(), refused.to_string());
    let (file, line) = SEEN.take().unwrap();
    assert_eq!(file, here.file());
    assert!((1..=5).contains(&(line - here.line())));
    assert_eq!(live::<Big>(), (0, 0));
}
