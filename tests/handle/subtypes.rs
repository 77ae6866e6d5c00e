//! Boxes of one instance that safe code turns into boxes of another, since one is a subtype of the
//! other: each block goes back to the family that it is of.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::thread;

use mm::{IntoIter, Kept, MmBox, MmManaged, Track};

use crate::support::{Census, Token, live, panics};

/// Names a type that no macro can see through.
trait Of {
    type Call;
}

impl Of for u8 {
    type Call = for<'a> fn(&'a u8);
}

impl Of for u16 {
    type Call = fn(&'static u8);
}

/// Takes a reference of any lifetime.
type Any = <u8 as Of>::Call;
/// Takes one that is `'static`. `Any` is a subtype of it.
type Long = <u16 as Of>::Call;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "of any lifetime")]
fn ignore(_: &u8) {}

/// Makes a type with a family for each of the two, whose values have this field besides.
macro_rules! pair {
    ($name:ident, $more:ty $(, $limit:ident = $most:literal)?) => {
        #[derive(MmManaged)]
        #[mm(instances($name<<u8 as Of>::Call>, $name<<u16 as Of>::Call>) $(, $limit = $most)?)]
        #[derive(Clone)]
        #[expect(dead_code, reason = "for its type")]
        struct $name<T>(T, $more);
    };
}

/// Checks that nothing is live in both families, and that the walker finds the same.
fn check_empty<A: MmManaged, B: MmManaged>() {
    assert!(!std::ptr::eq(A::page_family(), B::page_family()));
    assert_eq!((live::<A>(), live::<B>()), ((0, 0), (0, 0)));
    A::page_family().check().expect("the same");
    B::page_family().check().expect("the same");
}

#[test]
fn one_unit_goes_back_to_its_own_family() {
    pair!(One, [u64; 3]);
    for round in 0..300 {
        let any: Vec<MmBox<One<Any>>> = (0..100)
            .map(|_| MmBox::new(One(ignore as Any, [1; 3])))
            .collect();
        let own = MmBox::new(One(ignore as Long, [2; 3]));
        let mut long: Vec<MmBox<One<Long>>> = any.into_iter().map(|one| one as _).collect();
        assert_eq!(
            (live::<One<Any>>(), live::<One<Long>>()),
            ((100, 100), (1, 1))
        );
        // What the type says first meets a cell that has a cache, or none, or a full one.
        if round % 2 == 0 {
            long.push(own);
        }
        drop(long);
    }
    check_empty::<One<Any>, One<Long>>();
}

#[test]
fn rows_of_any_length_go_back_to_their_own_family() {
    pair!(Row, [u32; 9]);
    for units in [0, 1, 2, 31, 32, 40, 455, 456, 5_000, 100_000] {
        for _ in 0..3 {
            let row = MmBox::from_fn(units, |_| Row(ignore as Any, [1; 9]));
            let own = MmBox::from_fn(units, |_| Row(ignore as Long, [1; 9]));
            let long: MmBox<[Row<Long>]> = row;
            drop((long, own));
        }
        check_empty::<Row<Any>, Row<Long>>();
    }
}

#[test]
#[expect(clippy::large_stack_arrays, reason = "of values that large")]
fn units_larger_than_a_page_go_back_to_their_own_family() {
    pair!(Large, [u8; 300_000]);
    for units in [1, 2, 9] {
        let large = MmBox::from_fn(units, |_| Large(ignore as Any, [1; 300_000]));
        let long: MmBox<[Large<Long>]> = large;
        assert_eq!(live::<Large<Any>>(), (1, units as u64));
        drop(long);
        check_empty::<Large<Any>, Large<Long>>();
    }
}

/// Nothing but a type.
#[derive(Clone, Copy)]
struct Only<T>(PhantomData<T>);

/// The same, aligned to an OS page.
#[repr(align(4096))]
struct Aligned<T>(PhantomData<T>);

#[test]
fn values_without_size_are_counted_by_their_own_family() {
    #[derive(MmManaged)]
    #[mm(instances(Nothing<<u8 as Of>::Call>, Nothing<<u16 as Of>::Call>))]
    struct Nothing<T>(Only<T>);
    #[derive(MmManaged)]
    #[mm(instances(Far<<u8 as Of>::Call>, Far<<u16 as Of>::Call>))]
    struct Far<T>(Aligned<T>);

    let nothing = || MmBox::<Nothing<Any>>::new(Nothing(Only(PhantomData)));
    let row: MmBox<[Nothing<Any>]> = MmBox::from_fn(7, |_| Nothing(Only(PhantomData)));
    let own = MmBox::new(Nothing::<Long>(Only(PhantomData)));
    let long: MmBox<Nothing<Long>> = nothing();
    let long_row: MmBox<[Nothing<Long>]> = row;
    assert_eq!(
        (live::<Nothing<Any>>(), live::<Nothing<Long>>()),
        ((2, 8), (1, 1))
    );
    drop((long, long_row, own));
    check_empty::<Nothing<Any>, Nothing<Long>>();

    let raw = MmBox::into_raw(nothing() as MmBox<Nothing<Long>>);
    // SAFETY: it is from `into_raw`.
    drop(unsafe { MmBox::<Nothing<Long>>::from_raw(raw) });
    let kept: Kept<Nothing<Long>> = Kept::new(nothing());
    drop(kept);
    check_empty::<Nothing<Any>, Nothing<Long>>();

    let far: MmBox<Far<Long>> = MmBox::<Far<Any>>::new(Far(Aligned(PhantomData)));
    assert!(far.0.0 == PhantomData && MmBox::as_ptr(&far).addr().is_multiple_of(4_096));
    assert_eq!((live::<Far<Any>>(), live::<Far<Long>>()), ((1, 1), (0, 0)));
    drop(far);
    check_empty::<Far<Any>, Far<Long>>();
}

#[test]
fn every_way_out_of_a_box_leads_to_its_own_family() {
    pair!(Out, [u64; 2]);
    fn one() -> MmBox<Out<Long>> {
        MmBox::<Out<Any>>::new(Out(ignore as Any, [1; 2]))
    }
    fn row() -> MmBox<[Out<Long>]> {
        MmBox::<[Out<Any>]>::from_fn(3, |_| Out(ignore as Any, [1; 2]))
    }
    for _ in 0..3 {
        let _ = MmBox::into_inner(one());
        mm::xfree(one());
        Out::<Long>::xfree(row());
        drop(MmBox::into_slice(one()));
        drop(MmBox::into_pin(row()));
        drop(Vec::from(row()));
        let mut iter: IntoIter<Out<Long>> = row().into_iter();
        iter.next();
        drop(iter);
        let iter: IntoIter<Out<Any>> =
            MmBox::<[Out<Any>]>::from_fn(3, |_| Out(ignore as Any, [1; 2])).into_iter();
        let iter: IntoIter<Out<Long>> = iter;
        drop(iter);
        let pinned: Pin<MmBox<Out<Any>>> = MmBox::pin(Out(ignore as Any, [1; 2]));
        let pinned: Pin<MmBox<Out<Long>>> = pinned;
        drop(pinned);
        // A clone is of the family that the type says.
        let origin = row();
        let clone = origin.clone();
        assert_eq!((live::<Out<Any>>(), live::<Out<Long>>()), ((1, 3), (1, 3)));
        drop((origin, clone));
        // SAFETY: it is from `into_raw`.
        drop(unsafe { MmBox::from_raw(MmBox::into_raw(row())) });
        // SAFETY: it is from `leak`, and no code uses it.
        drop(unsafe { MmBox::from_raw(std::ptr::from_mut(MmBox::leak(one()))) });
        let raw = NonNull::new(MmBox::into_raw(one())).expect("a box").cast();
        // SAFETY: it is from `into_raw`, and no code uses it.
        unsafe { mm::xfree_raw(raw) }.expect("live");
        check_empty::<Out<Any>, Out<Long>>();
    }
}

#[test]
fn a_destructor_panics_and_the_block_goes_back_to_its_own_family() {
    #[derive(MmManaged)]
    #[mm(instances(Bomb<<u8 as Of>::Call>, Bomb<<u16 as Of>::Call>))]
    #[expect(dead_code, reason = "they count")]
    struct Bomb<T>(T, Token);

    let census = Census::default();
    let bomb: MmBox<Bomb<Long>> = MmBox::<Bomb<Any>>::new(Bomb(ignore as Any, census.bomb()));
    let tokens = [census.token(), census.bomb(), census.token()];
    let row = MmBox::from(tokens.map(|token| Bomb(ignore as Any, token)));
    let row: MmBox<[Bomb<Long>]> = row;
    assert!(panics(|| drop(bomb)));
    assert!(panics(|| drop(row)));
    assert_eq!(census.alive(), 0);
    check_empty::<Bomb<Any>, Bomb<Long>>();
}

#[test]
fn kept_blocks_are_counted_by_their_own_family() {
    pair!(Held, u64);
    let held = || MmBox::<Held<Any>>::new(Held(ignore as Any, 1));
    // Turned before it is kept, and while it is.
    let before: Kept<Held<Long>> = Kept::new(held());
    let meanwhile: Kept<Held<Any>> = Kept::new(held());
    let meanwhile: Kept<Held<Long>> = meanwhile;
    let kept = || {
        let any = Held::<Any>::page_family().profile();
        let long = Held::<Long>::page_family().profile();
        (any.kept_blocks, long.kept_blocks)
    };
    assert_eq!(kept(), (2, 0));
    drop(Kept::into_inner(before));
    assert_eq!(kept(), (1, 0));
    drop(meanwhile);
    assert_eq!(kept(), (0, 0));
    check_empty::<Held<Any>, Held<Long>>();
}

#[test]
fn other_threads_and_their_ends_find_the_own_family() {
    pair!(Sent, [u64; 4]);
    thread_local! {
        static LAST: RefCell<Vec<MmBox<Sent<Long>>>> = const { RefCell::new(Vec::new()) };
    }
    fn send(units: usize) -> Vec<MmBox<Sent<Long>>> {
        (0..units)
            .map(|_| MmBox::<Sent<Any>>::new(Sent(ignore as Any, [1; 4])) as _)
            .collect()
    }
    let sent = send(5_000);
    let release = move || {
        drop(sent);
        // Dropped with the thread's locals, in whatever order.
        LAST.with_borrow_mut(|last| last.extend(send(500)));
    };
    thread::spawn(release).join().expect("no panic");
    check_empty::<Sent<Any>, Sent<Long>>();
}

#[test]
fn a_limit_is_that_of_the_own_family() {
    pair!(Few, u64, max_units = 4);
    for _ in 0..3 {
        let few = MmBox::try_from_fn(4, |_| Few(ignore as Any, 1)).expect("there is room");
        let few: MmBox<[Few<Long>]> = few;
        let own = MmBox::try_from_fn(4, |_| Few(ignore as Long, 1)).expect("there is room");
        assert!(MmBox::try_new(Few(ignore as Any, 1)).is_err());
        drop((few, own));
    }
    check_empty::<Few<Any>, Few<Long>>();
}

#[test]
fn tracked_blocks_are_forgotten_by_their_own_family() {
    pair!(Seen, [u64; 2]);
    for which in [Track::All, Track::Off] {
        let before: MmBox<Seen<Long>> = MmBox::<Seen<Any>>::new(Seen(ignore as Any, [1; 2]));
        Seen::<Any>::page_family().track(which);
        let row: MmBox<[Seen<Long>]> =
            MmBox::<[Seen<Any>]>::from_fn(40, |_| Seen(ignore as Any, [1; 2]));
        Seen::<Long>::page_family().track(which);
        drop((before, row));
        check_empty::<Seen<Any>, Seen<Long>>();
    }
}

/// Runs the tests of this file again where families are hardened.
#[test]
fn hardened_families_get_their_own_back() {
    let name = "subtypes::hardened_families_get_their_own_back";
    if !mm_tests::is_child_with(name, "poison,quarantine=64KiB,guard,random") {
        return;
    }
    one_unit_goes_back_to_its_own_family();
    rows_of_any_length_go_back_to_their_own_family();
    units_larger_than_a_page_go_back_to_their_own_family();
    values_without_size_are_counted_by_their_own_family();
    every_way_out_of_a_box_leads_to_its_own_family();
    a_destructor_panics_and_the_block_goes_back_to_its_own_family();
    kept_blocks_are_counted_by_their_own_family();
    other_threads_and_their_ends_find_the_own_family();
}
