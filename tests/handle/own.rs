//! Making, dropping and moving out; zero units, no size, large alignments.

use mm::{AllocError, MmBox, MmManaged};

use crate::support::{Census, Token, live};

#[test]
fn new_owns_until_dropped() {
    #[derive(MmManaged)]
    struct One(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let one = MmBox::new(One(census.token()));
    assert_eq!((live::<One>(), census.alive()), ((1, 1), 1));
    drop(one);
    assert_eq!((live::<One>(), census.alive()), ((0, 0), 0));
    assert_eq!(census.dropped(), 1);
}

#[test]
fn try_new_makes_the_same() {
    #[derive(MmManaged, Debug, PartialEq)]
    struct Tried(u64);

    assert_eq!(*MmBox::try_new(Tried(7)).unwrap(), Tried(7));
    assert_eq!(live::<Tried>(), (0, 0));
}

#[test]
fn from_fn_calls_in_order_and_owns_all() {
    #[derive(MmManaged)]
    struct Row(usize, #[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let mut calls = Vec::new();
    let rows = MmBox::from_fn(5, |index| {
        calls.push(index);
        Row(index * 10, census.token())
    });
    assert_eq!(calls, [0, 1, 2, 3, 4]);
    assert_eq!(
        rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        [0, 10, 20, 30, 40]
    );
    assert_eq!((live::<Row>(), census.alive()), ((1, 5), 5));
    Row::xfree(rows);
    assert_eq!((live::<Row>(), census.alive()), ((0, 0), 0));
}

#[test]
fn try_from_fn_refuses_without_a_call() {
    #[derive(MmManaged, Debug)]
    struct Wide(#[expect(dead_code, reason = "only for its size")] [u64; 4]);

    let refused = MmBox::try_from_fn(usize::MAX / 16, |_| -> Wide { panic!("called") });
    assert!(matches!(refused, Err(AllocError::SizeOverflow { .. })));
    assert_eq!(live::<Wide>(), (0, 0));
    assert_eq!(MmBox::try_from_fn(2, |_| Wide([0; 4])).unwrap().len(), 2);
}

#[test]
fn from_fn_may_use_its_own_family() {
    #[derive(MmManaged, Debug, PartialEq)]
    struct Tree(Option<MmBox<[Tree]>>);

    fn grow(depth: usize) -> Tree {
        Tree((depth > 0).then(|| MmBox::from_fn(2, |_| grow(depth - 1))))
    }
    let tree = MmBox::new(grow(4));
    assert_eq!(live::<Tree>(), (1 + 15, 1 + 30));
    drop(tree);
    assert_eq!(live::<Tree>(), (0, 0));
}

#[test]
fn zero_units_are_an_empty_block() {
    #[derive(MmManaged, Clone, Debug, PartialEq)]
    #[repr(align(64))]
    struct Empty(u8);

    let none: MmBox<[Empty]> = MmBox::from_fn(0, |_| panic!("no unit to fill"));
    assert!(none.is_empty());
    assert!(MmBox::as_ptr(&none).cast::<Empty>().is_aligned());
    assert_eq!(none.clone(), MmBox::default());
    assert_eq!(live::<Empty>(), (0, 0));
    assert_eq!(none.into_iter().next(), None);
    assert_eq!(live::<Empty>(), (0, 0));
}

#[test]
fn values_without_size_are_counted() {
    #[derive(MmManaged, Clone, Debug, PartialEq)]
    struct Unit;

    let one = MmBox::new(Unit);
    let many = MmBox::from_fn(1_000, |_| Unit);
    assert_eq!(live::<Unit>(), (2, 1_001));
    assert_eq!(many.iter().count(), 1_000);
    assert_eq!(many.clone(), many);
    assert_eq!(many.into_iter().rev().count(), 1_000);
    assert_eq!(MmBox::into_inner(one), Unit);
    assert_eq!(live::<Unit>(), (0, 0));
}

#[test]
fn values_without_size_are_dropped_one_by_one() {
    use std::cell::Cell;
    std::thread_local!(static DROPS: Cell<u32> = const { Cell::new(0) });

    #[derive(MmManaged)]
    struct Ghost;
    impl Drop for Ghost {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
        }
    }

    drop(MmBox::from_fn(10, |_| Ghost));
    assert_eq!(DROPS.get(), 10);
    let mut ghosts = MmBox::from_fn(3, |_| Ghost).into_iter();
    drop(ghosts.next());
    assert_eq!(DROPS.get(), 11);
    drop(ghosts);
    assert_eq!(DROPS.get(), 13);
    assert_eq!(live::<Ghost>(), (0, 0));
}

#[test]
fn large_alignments_hold() {
    #[derive(MmManaged, Clone)]
    #[repr(align(64))]
    struct Line(u8);

    #[derive(MmManaged, Clone)]
    #[repr(align(4096))]
    struct Sheet(u8);

    fn check<T: MmManaged + Clone>(make: impl Fn(usize) -> T, value: impl Fn(&T) -> usize) {
        let blocks: Vec<_> = (1..20)
            .map(|units| MmBox::from_fn(units, &make).clone())
            .collect();
        for block in &blocks {
            for (index, unit) in block.iter().enumerate() {
                assert!((&raw const *unit).is_aligned());
                assert_eq!(value(unit), index);
            }
        }
        assert!(MmBox::as_ptr(&MmBox::new(make(0))).is_aligned());
    }
    let byte = |index: usize| u8::try_from(index).unwrap();
    check(|index| Line(byte(index)), |line| line.0.into());
    check(|index| Sheet(byte(index)), |sheet| sheet.0.into());
    assert_eq!((live::<Line>(), live::<Sheet>()), ((0, 0), (0, 0)));
}

#[test]
fn into_inner_moves_out_and_releases() {
    #[derive(MmManaged)]
    struct Held(Token);

    let census = Census::default();
    let held = MmBox::into_inner(MmBox::new(Held(census.token())));
    assert_eq!(
        (live::<Held>(), census.alive(), census.dropped()),
        ((0, 0), 1, 0)
    );
    drop(held.0);
    assert_eq!(census.dropped(), 1);
}

#[test]
fn into_slice_keeps_block_and_value() {
    #[derive(MmManaged)]
    struct Single(u32);

    let single = MmBox::new(Single(9));
    let address = MmBox::as_ptr(&single);
    let row = MmBox::into_slice(single);
    assert_eq!((row.len(), row[0].0), (1, 9));
    assert_eq!(row.as_ptr(), address);
    assert_eq!(live::<Single>(), (1, 1));
    drop(row);
    assert_eq!(live::<Single>(), (0, 0));
}

#[test]
fn all_three_ways_release() {
    #[derive(MmManaged)]
    struct Freed(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let make = || MmBox::new(Freed(census.token()));
    drop(make());
    mm::xfree(make());
    Freed::xfree(make());
    mm::xfree(MmBox::from_fn(2, |_| Freed(census.token())));
    assert_eq!((live::<Freed>(), census.dropped()), ((0, 0), 5));
}

#[test]
fn a_block_may_end_on_another_thread() {
    #[derive(MmManaged, Debug)]
    struct Parcel(String);

    let parcels = MmBox::from_fn(3, |index| Parcel(index.to_string()));
    let last = std::thread::spawn(move || parcels.into_iter().next_back().unwrap());
    assert_eq!(last.join().unwrap().0, "2");
    assert_eq!(live::<Parcel>(), (0, 0));
}

#[test]
fn a_long_chain_is_dropped() {
    #[derive(MmManaged)]
    struct Link(Option<MmBox<Link>>);

    let chain = (0..1_000).fold(None, |next, _| Some(MmBox::new(Link(next))));
    assert_eq!(live::<Link>(), (1_000, 1_000));
    assert!(chain.as_ref().is_some_and(|link| link.0.is_some()));
    drop(chain);
    assert_eq!(live::<Link>(), (0, 0));
}

#[test]
fn into_box_moves_one_value_or_a_row() {
    #[derive(MmManaged)]
    struct Boxed(#[expect(dead_code, reason = "counts")] Token, u64);

    let census = Census::default();
    let make = |number| Boxed(census.token(), number);
    let one: Box<Boxed> = MmBox::into_box(MmBox::new(make(7)));
    let row: Box<[Boxed]> = MmBox::into_box(MmBox::from_fn(100, |index| make(index as u64)));
    let none: Box<[Boxed]> = MmBox::into_box(MmBox::from_fn(0, |_| make(0)));
    assert_eq!((live::<Boxed>(), census.dropped()), ((0, 0), 0));
    assert_eq!((one.1, row.len(), none.len()), (7, 100, 0));
    assert!(
        row.iter()
            .enumerate()
            .all(|(index, value)| value.1 == index as u64)
    );
    drop((one, row, none));
    assert_eq!(census.dropped(), 101);
}

#[test]
fn into_box_of_a_large_value_needs_no_stack() {
    #[derive(MmManaged)]
    struct Large([u8; 16 << 20]);

    let row: MmBox<[Large]> = Large::xcalloc(1);
    // As the only one, in a thread without room for it.
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let thread = small.spawn(move || MmBox::into_box(row));
    let boxed = thread.expect("a thread").join().expect("no overflow");
    assert_eq!((boxed[0].0[16 << 19], live::<Large>()), (0, (0, 0)));
}
