//! Properties of `MmBox` that the compiler sees: size, niche, variance, and marker traits.

use std::cell::{Cell, UnsafeCell};
use std::fmt::Debug;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;

use mm::{Block, IntoIter, MmBox, MmManaged, ZeroInit};

use crate::support::live;

#[derive(MmManaged)]
struct Plain(u64);

/// Neither `Send` nor `Sync`, not to be moved, and not safe to see after a panic.
#[derive(MmManaged)]
struct Local(Rc<Cell<u8>>, PhantomPinned, PhantomData<&'static mut u8>);

/// `Send` and not `Sync`.
#[derive(MmManaged)]
struct Inner(UnsafeCell<u8>);

/// `Sync` and not `Send`.
#[derive(MmManaged)]
struct Guard(PhantomData<MutexGuard<'static, u8>>);

/// Tells whether a type has a trait: the inherent constant wins where it applies.
macro_rules! has {
    ($subject:ty: $bound:path) => {{
        struct Asked<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "not used where the bound holds")]
        trait Else {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Else for Asked<T> {}
        #[allow(dead_code, reason = "not used where the bound does not hold")]
        impl<T: ?Sized + $bound> Asked<T> {
            const ANSWER: bool = true;
        }
        Asked::<$subject>::ANSWER
    }};
}

/// Asserts that all owners of a type have a trait exactly if the type has.
macro_rules! as_its_value {
    ($($value:ty: $bound:path = $expected:literal),+ $(,)?) => {$(
        const _: () = assert!(has!($value: $bound) == $expected);
        const _: () = assert!(has!(MmBox<$value>: $bound) == $expected);
        const _: () = assert!(has!(MmBox<[$value]>: $bound) == $expected);
        const _: () = assert!(has!(IntoIter<$value>: $bound) == $expected);
        const _: () = assert!(has!(Box<$value>: $bound) == $expected);
    )+};
}

as_its_value! {
    Plain: Send = true, Plain: Sync = true,
    Plain: UnwindSafe = true, Plain: RefUnwindSafe = true,
    Local: Send = false, Local: Sync = false,
    Local: UnwindSafe = false, Local: RefUnwindSafe = false,
    Inner: Send = true, Inner: Sync = false,
    Inner: UnwindSafe = true, Inner: RefUnwindSafe = false,
    Guard: Send = false, Guard: Sync = true,
}

const _: () = assert!(!has!(Local: Unpin));
const _: () = assert!(has!(MmBox<Local>: Unpin));
const _: () = assert!(has!(MmBox<[Local]>: Unpin));
const _: () = assert!(has!(IntoIter<Local>: Unpin));

// No trait but those of the value.
const _: () = assert!(!has!(MmBox<Plain>: Clone));
const _: () = assert!(!has!(MmBox<Plain>: Debug));
const _: () = assert!(!has!(MmBox<[Plain]>: Clone));
const _: () = assert!(!has!(MmBox<Plain>: Iterator));
const _: () = assert!(!has!(MmBox<[Plain]>: Iterator));
const _: () = assert!(!has!(MmBox<[Plain]>: Copy));

const WORD: usize = size_of::<usize>();
const _: () = assert!(size_of::<MmBox<Plain>>() == WORD);
const _: () = assert!(size_of::<Option<MmBox<Plain>>>() == WORD);
const _: () = assert!(size_of::<MmBox<[Plain]>>() == 2 * WORD);
const _: () = assert!(size_of::<Option<MmBox<[Plain]>>>() == 2 * WORD);
const _: () = assert!(align_of::<MmBox<Plain>>() == align_of::<usize>());

/// Compiles only if `MmBox` is covariant.
#[test]
fn owners_of_longer_borrows_serve_for_shorter_ones() {
    #[derive(MmManaged)]
    struct Name<'a>(&'a str);

    fn shorten<'a>(long: MmBox<Name<'static>>, _: &'a str) -> MmBox<Name<'a>> {
        long
    }
    fn shorten_row<'a>(long: MmBox<[Name<'static>]>, _: &'a str) -> MmBox<[Name<'a>]> {
        long
    }
    fn shorten_iter<'a>(long: IntoIter<Name<'static>>, _: &'a str) -> IntoIter<Name<'a>> {
        long
    }

    let here = String::from("here");
    let mut name = shorten(MmBox::new(Name("static")), &here);
    assert_eq!(name.0, "static");
    name.0 = &here;
    assert_eq!(name.0, "here");
    let row = shorten_row(MmBox::from_fn(2, |_| Name("static")), &here);
    assert_eq!(row.len(), 2);
    let left = shorten_iter(MmBox::from_fn(3, |_| Name("static")).into_iter(), &here);
    assert_eq!(left.len(), 3);
}

#[test]
fn no_owner_is_all_zeros() {
    fn zeroed<T: ZeroInit>() -> T {
        // SAFETY: `ZeroInit` says that all-zero bytes are a value.
        unsafe { std::mem::zeroed() }
    }
    fn is_zeroable<T: bytemuck::Zeroable>() {}

    is_zeroable::<Option<MmBox<Plain>>>();
    assert!(zeroed::<Option<MmBox<Plain>>>().is_none());
    let mut some = [const { None::<MmBox<Plain>> }; 2];
    some[1] = Some(MmBox::new(Plain(3)));
    assert_eq!(some[1].as_ref().map(|plain| plain.0), Some(3));
}

#[test]
fn zeroed_units_may_own_nothing_yet() {
    #[derive(MmManaged)]
    struct Node {
        next: Option<MmBox<Node>>,
    }

    let mut nodes = Node::xcalloc(3);
    assert!(nodes.iter().all(|node| node.next.is_none()));
    nodes[1].next = Some(MmBox::new(Node { next: None }));
    assert_eq!(live::<Node>(), (2, 4));
    drop(nodes);
    assert_eq!(live::<Node>(), (0, 0));
}

#[test]
fn both_kinds_of_block_know_their_unit() {
    fn name<B: Block + ?Sized>(_: &MmBox<B>) -> &'static str {
        B::Unit::page_family().name()
    }
    #[derive(MmManaged)]
    struct Named;

    assert_eq!(name(&MmBox::new(Named)), "Named");
    assert_eq!(name(&MmBox::from_fn(2, |_| Named)), "Named");
}

#[test]
fn the_markers_are_for_these_values() {
    // Reads the fields that only give the types above their markers.
    let local = MmBox::new(Local(Rc::new(Cell::new(1)), PhantomPinned, PhantomData));
    let Local(count, PhantomPinned, PhantomData) = MmBox::into_inner(local);
    assert_eq!(count.get(), 1);
    assert_eq!(
        MmBox::into_inner(MmBox::new(Inner(UnsafeCell::new(2))))
            .0
            .into_inner(),
        2
    );
    let Guard(PhantomData) = MmBox::into_inner(MmBox::new(Guard(PhantomData)));
}
