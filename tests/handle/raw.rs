//! Bare pointers and pins: out of an `MmBox` and back.

use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr;

use mm::{MmBox, MmManaged};

use crate::support::{Census, Token, live};

#[test]
fn one_value_goes_and_comes_back() {
    #[derive(MmManaged)]
    struct Lent(Token);

    let census = Census::default();
    let lent = MmBox::new(Lent(census.token()));
    let raw: *mut Lent = MmBox::into_raw(lent);
    assert_eq!((live::<Lent>(), census.dropped()), ((1, 1), 0));
    // SAFETY: from `into_raw`, taken back once.
    let back = unsafe { MmBox::from_raw(raw) };
    assert!(ptr::eq(&raw const back.0, raw.cast()));
    drop(back);
    assert_eq!((live::<Lent>(), census.dropped()), ((0, 0), 1));
}

#[test]
fn a_row_goes_and_comes_back() {
    #[derive(MmManaged)]
    struct Seat(usize);

    for units in [0, 1, 7] {
        let raw: *mut [Seat] = MmBox::into_raw(MmBox::from_fn(units, Seat));
        assert_eq!(raw.len(), units);
        // SAFETY: from `into_raw`, taken back once.
        let back = unsafe { MmBox::from_raw(raw) };
        assert!(back.iter().map(|seat| seat.0).eq(0..units));
    }
    assert_eq!(live::<Seat>(), (0, 0));
}

#[test]
fn no_size_goes_and_comes_back() {
    #[derive(MmManaged)]
    struct Thin;

    let raw = MmBox::into_raw(MmBox::from_fn(3, |_| Thin));
    assert_eq!(live::<Thin>(), (1, 3));
    // SAFETY: from `into_raw`, taken back once.
    drop(unsafe { MmBox::from_raw(raw) });
    assert_eq!(live::<Thin>(), (0, 0));
}

#[test]
fn what_the_family_handed_out_can_be_owned() {
    #[derive(MmManaged)]
    struct Bare(Token);

    let census = Census::default();
    let first: *mut Bare = Bare::page_family().alloc(2).unwrap().cast().as_ptr();
    for index in 0..2 {
        // SAFETY: the block has two units.
        let unit = unsafe { first.add(index) };
        // SAFETY: a unit of the block, which has no other owner.
        unsafe { unit.write(Bare(census.token())) };
    }
    // SAFETY: a live block of two units of this type's family, both with values.
    let row = unsafe { MmBox::from_raw(ptr::slice_from_raw_parts_mut(first, 2)) };
    assert!(ptr::eq(&raw const row[0].0, first.cast()));
    drop(row);
    assert_eq!((live::<Bare>(), census.dropped()), ((0, 0), 2));
}

#[test]
fn leak_lends_for_good_and_can_be_undone() {
    #[derive(MmManaged)]
    struct Config {
        workers: usize,
    }

    let config: &'static mut Config = MmBox::leak(MmBox::new(Config { workers: 4 }));
    config.workers += 1;
    assert_eq!(live::<Config>(), (1, 1));
    // SAFETY: from `leak`, and the borrow ends here.
    let back = unsafe { MmBox::from_raw(config) };
    assert_eq!(back.workers, 5);
    let row: &mut [Config] = MmBox::leak(MmBox::into_slice(back));
    // SAFETY: the same for a row of one.
    drop(unsafe { MmBox::from_raw(row) });
    assert_eq!(live::<Config>(), (0, 0));
}

#[test]
fn as_ptr_and_as_mut_ptr_reach_the_value() {
    #[derive(MmManaged)]
    struct Cell(u32);

    let mut cell = MmBox::new(Cell(1));
    // SAFETY: no other code uses the value.
    unsafe { MmBox::as_mut_ptr(&mut cell).write(Cell(2)) };
    assert_eq!(cell.0, 2);
    assert!(ptr::eq(MmBox::as_ptr(&cell), &raw const *cell));
    let mut row = MmBox::from_fn(2, |_| Cell(0));
    assert_eq!(MmBox::as_mut_ptr(&mut row).len(), 2);
}

#[test]
fn a_pin_keeps_the_address_and_drops_in_place() {
    #[derive(MmManaged)]
    struct Anchored {
        token: Token,
        stays: PhantomPinned,
    }

    let census = Census::default();
    let make = || Anchored {
        token: census.token(),
        stays: PhantomPinned,
    };
    let pinned = MmBox::pin(make());
    let address = &raw const pinned.token;
    let moved = Box::new(pinned);
    assert_eq!(&raw const moved.token, address);
    drop(moved);
    let other: Pin<MmBox<Anchored>> = MmBox::new(make()).into();
    let PhantomPinned = other.stays;
    let row: Pin<MmBox<[Anchored]>> = MmBox::into_pin(MmBox::from_fn(2, |_| make()));
    assert_eq!((row.len(), live::<Anchored>()), (2, (2, 3)));
    drop((other, row));
    assert_eq!((live::<Anchored>(), census.dropped()), ((0, 0), 4));
}
