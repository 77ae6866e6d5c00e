//! To and from the owners of the standard library.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use mm::{MmBox, MmManaged};

use crate::support::{Census, Token, live};

#[derive(MmManaged, Clone, Debug, PartialEq)]
struct Word(String);

fn words(count: usize) -> Vec<Word> {
    (0..count).map(|index| Word(index.to_string())).collect()
}

#[test]
fn single_values_move_in_and_out() {
    let word = Word("a".to_owned());
    assert_eq!(*MmBox::from(word.clone()), word);
    assert_eq!(*MmBox::from(Box::new(word.clone())), word);
    assert_eq!(*Rc::<Word>::from(MmBox::new(word.clone())), word);
    assert_eq!(*Arc::<Word>::from(MmBox::new(word.clone())), word);
    let pinned: Pin<MmBox<Word>> = MmBox::new(word.clone()).into();
    assert_eq!(*pinned, word);
}

#[test]
fn rows_move_in() {
    for count in [0, 1, 5] {
        let all = words(count);
        assert_eq!(*MmBox::from(all.clone()), *all);
        assert_eq!(*MmBox::from(all.clone().into_boxed_slice()), *all);
        assert_eq!(*MmBox::from(all.as_slice()), *all);
        assert_eq!(*MmBox::from(all.clone().as_mut_slice()), *all);
        assert_eq!(*MmBox::from(Cow::Borrowed(all.as_slice())), *all);
        assert_eq!(*MmBox::from(Cow::<[Word]>::Owned(all.clone())), *all);
        assert_eq!(*all.iter().cloned().collect::<MmBox<[Word]>>(), *all);
    }
    let array: MmBox<[Word]> = [Word("x".to_owned()), Word("y".to_owned())].into();
    assert_eq!(array[1].0, "y");
    let none: MmBox<[Word]> = [].into();
    assert!(none.is_empty());
}

#[test]
fn rows_move_out() {
    for count in [0, 1, 5] {
        let all = words(count);
        let row = || MmBox::from(all.clone());
        assert_eq!(Vec::from(row()), all);
        assert_eq!(*Box::<[Word]>::from(row()), *all);
        assert_eq!(*Rc::<[Word]>::from(row()), *all);
        assert_eq!(*Arc::<[Word]>::from(row()), *all);
        let pinned: Pin<MmBox<[Word]>> = row().into();
        assert_eq!(*pinned, *all);
    }
}

#[test]
fn moving_neither_drops_nor_doubles() {
    #[derive(MmManaged)]
    struct Piece(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let pieces = || -> Vec<Piece> { (0..4).map(|_| Piece(census.token())).collect() };
    let from_vec = MmBox::from(pieces());
    let from_box = MmBox::from(pieces().into_boxed_slice());
    let from_array = MmBox::from([Piece(census.token()), Piece(census.token())]);
    let from_one = MmBox::from(Box::new(Piece(census.token())));
    assert_eq!((census.alive(), census.dropped()), (11, 0));
    assert_eq!(live::<Piece>(), (4, 11));
    let back = Vec::from(from_vec);
    assert_eq!(
        (census.alive(), census.dropped(), live::<Piece>()),
        (11, 0, (3, 7))
    );
    drop((back, from_box, from_array, from_one));
    assert_eq!(
        (census.alive(), census.dropped(), live::<Piece>()),
        (0, 11, (0, 0))
    );
}
