//! The traits that an owner has because its value has them.

use std::borrow::{Borrow, BorrowMut};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use mm::{MmBox, MmManaged};

use crate::support::{Census, Token, live};

#[derive(MmManaged, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn name(text: &str) -> MmBox<Name> {
    MmBox::new(Name(text.to_owned()))
}

fn names<const N: usize>(texts: [&str; N]) -> MmBox<[Name]> {
    texts.map(|text| Name(text.to_owned())).into()
}

#[test]
fn deref_reads_and_writes() {
    let mut ada = name("ada");
    ada.0.push('!');
    assert_eq!(ada.0, "ada!");
    let mut both = names(["a", "b"]);
    both[1].0.push('?');
    both.reverse();
    assert_eq!(both[0].0, "b?");
}

#[test]
fn text_forms_are_those_of_the_value() {
    assert_eq!(format!("{:?}", name("a")), r#"Name("a")"#);
    assert_eq!(format!("{:>3}|{}", name("a"), name("b")), "  a|b");
    assert_eq!(format!("{:?}", names(["a"])), r#"[Name("a")]"#);
    let one = name("a");
    assert_eq!(format!("{one:p}"), format!("{:p}", MmBox::as_ptr(&one)));
    let row = names(["a"]);
    assert_eq!(format!("{row:p}"), format!("{:p}", MmBox::as_ptr(&row)));
}

#[test]
fn comparisons_and_hashes_are_those_of_the_value() {
    assert_eq!(name("a"), name("a"));
    assert_ne!(name("a"), name("b"));
    assert!(names(["a", "b"]) < names(["a", "c"]));
    assert_eq!(name("b").cmp(&name("a")), Ordering::Greater);
    assert_eq!(names([]).partial_cmp(&names(["a"])), Some(Ordering::Less));
    assert_eq!(
        BTreeSet::from([name("b"), name("a")]).first(),
        Some(&name("a"))
    );

    let state = RandomState::new();
    assert_eq!(
        state.hash_one(name("a")),
        state.hash_one(Name("a".to_owned()))
    );
    let by_name = HashMap::from([(name("a"), 1)]);
    assert_eq!(by_name.get(&Name("a".to_owned())), Some(&1));
    let by_row = HashMap::from([(names(["a", "b"]), 2)]);
    assert_eq!(
        by_row.get([Name("a".to_owned()), Name("b".to_owned())].as_slice()),
        Some(&2)
    );
}

#[test]
fn defaults_are_a_default_value_and_no_unit() {
    assert_eq!(MmBox::<Name>::default(), name(""));
    assert_eq!(MmBox::<[Name]>::default(), names([]));
}

#[test]
fn borrows_reach_the_value() {
    fn all<B: ?Sized, O: AsRef<B> + AsMut<B> + Borrow<B> + BorrowMut<B>>(owner: &mut O) {
        let address = std::ptr::from_ref(owner.as_ref()).cast::<u8>();
        assert!(std::ptr::addr_eq(owner.as_mut(), address));
        assert!(std::ptr::addr_eq(Borrow::<B>::borrow(owner), address));
        assert!(std::ptr::addr_eq(
            BorrowMut::<B>::borrow_mut(owner),
            address
        ));
    }
    all::<Name, _>(&mut name("a"));
    all::<[Name], _>(&mut names(["a", "b"]));
}

#[test]
fn clones_are_blocks_of_their_own() {
    #[derive(MmManaged, Clone)]
    struct Twin(Token);

    let census = Census::default();
    let row = MmBox::from_fn(3, |_| Twin(census.token()));
    let (copy, single) = (row.clone(), MmBox::new(Twin(census.token())));
    let single_copy = single.clone();
    assert_ne!(&raw const single.0, &raw const single_copy.0);
    assert_ne!(row.as_ptr(), copy.as_ptr());
    assert_eq!((live::<Twin>(), census.alive()), ((4, 8), 8));
    drop((row, copy, single, single_copy));
    assert_eq!((live::<Twin>(), census.alive()), ((0, 0), 0));
}

#[test]
fn clone_from_stays_in_its_block_if_it_can() {
    let mut target = name("long enough to keep");
    let block = MmBox::as_ptr(&target);
    target.clone_from(&name("short"));
    assert_eq!(
        (target.0.as_str(), MmBox::as_ptr(&target)),
        ("short", block)
    );

    let mut row = names(["a", "b"]);
    let block = row.as_ptr();
    row.clone_from(&names(["c", "d"]));
    assert_eq!((&row, row.as_ptr()), (&names(["c", "d"]), block));
    row.clone_from(&names(["e"]));
    assert_eq!(row, names(["e"]));
    row.clone_from(&names([]));
    assert!(row.is_empty());
}

#[test]
fn a_hasher_is_passed_through() {
    #[derive(MmManaged, Default)]
    struct Recorder(Vec<&'static str>);
    impl Hasher for Recorder {
        fn finish(&self) -> u64 {
            self.0.len() as u64
        }
        fn write(&mut self, _: &[u8]) {
            self.0.push("bytes");
        }
        fn write_u8(&mut self, _: u8) {
            self.0.push("u8");
        }
        fn write_i128(&mut self, _: i128) {
            self.0.push("i128");
        }
    }

    let mut recorder = MmBox::<Recorder>::default();
    recorder.write(b"x");
    recorder.write_u8(1);
    recorder.write_i128(1);
    recorder.write_usize(1);
    assert_eq!(recorder.0, ["bytes", "u8", "i128", "bytes"]);
    assert_eq!(recorder.finish(), 4);
}

#[test]
fn a_future_is_polled_in_place() {
    #[derive(MmManaged)]
    struct Countdown(u32);
    impl Future for Countdown {
        type Output = &'static str;
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
            self.0 -= 1;
            if self.0 == 0 {
                Poll::Ready("lift-off")
            } else {
                Poll::Pending
            }
        }
    }

    let mut cx = Context::from_waker(Waker::noop());
    let mut countdown = MmBox::new(Countdown(2));
    assert!(Pin::new(&mut countdown).poll(&mut cx).is_pending());
    assert_eq!(
        Pin::new(&mut countdown).poll(&mut cx),
        Poll::Ready("lift-off")
    );
    let mut pinned = MmBox::pin(Countdown(1));
    assert!(pinned.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn an_error_keeps_text_and_source() {
    #[derive(MmManaged, Debug)]
    struct Failure(fmt::Error);
    impl fmt::Display for Failure {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("it failed")
        }
    }
    impl Error for Failure {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn fail() -> Result<(), Box<dyn Error>> {
        Err(MmBox::new(Failure(fmt::Error)))?
    }
    let failed = fail().unwrap_err();
    assert_eq!(failed.to_string(), "it failed");
    assert!(failed.source().unwrap().is::<fmt::Error>());
    assert!(failed.is::<MmBox<Failure>>());
}
