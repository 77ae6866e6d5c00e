//! Owners of iterators, and iterating over what is owned.

use std::iter::FusedIterator;
use std::ops::Range;

use mm::{MmBox, MmManaged};

use crate::support::{Census, Token, live};

#[derive(MmManaged, Clone, Debug, PartialEq)]
struct Step(usize);

/// An iterator with every trait of one.
#[derive(MmManaged)]
struct Walk(Range<usize>);

impl Iterator for Walk {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Walk {
    fn next_back(&mut self) -> Option<usize> {
        self.0.next_back()
    }
}

impl ExactSizeIterator for Walk {}

impl FusedIterator for Walk {}

fn walk(end: usize) -> MmBox<Walk> {
    MmBox::new(Walk(0..end))
}

fn is_fused<I: FusedIterator>(iter: I) -> I {
    iter
}

#[test]
fn an_owned_iterator_iterates() {
    assert_eq!(is_fused(walk(3)).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(walk(3).rev().collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(
        (walk(3).len(), walk(3).last(), walk(3).nth(1)),
        (3, Some(2), Some(1))
    );
    assert_eq!(
        (walk(3).size_hint(), walk(3).nth_back(1)),
        ((3, Some(3)), Some(1))
    );
    let mut some = walk(9);
    assert_eq!(some.by_ref().take(2).sum::<usize>(), 1);
    assert_eq!(some.next(), Some(2));
    for (expected, index) in walk(4).enumerate() {
        assert_eq!(expected, index);
    }
}

#[test]
fn borrowed_rows_iterate() {
    let mut steps = MmBox::from_fn(3, Step);
    for step in &mut steps {
        step.0 += 1;
    }
    let mut seen = Vec::new();
    for step in &steps {
        seen.push(step.0);
    }
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(steps.iter().next_back(), Some(&Step(3)));
}

#[test]
fn owned_rows_iterate_from_both_ends() {
    let mut steps = is_fused(MmBox::from_fn(5, Step).into_iter());
    assert_eq!((steps.len(), steps.size_hint()), (5, (5, Some(5))));
    assert_eq!(
        (steps.next(), steps.next_back()),
        (Some(Step(0)), Some(Step(4)))
    );
    assert_eq!(steps.as_slice(), [Step(1), Step(2), Step(3)]);
    steps.as_mut_slice()[0] = Step(7);
    assert_eq!(
        format!("{steps:?}"),
        "IntoIter([Step(7), Step(2), Step(3)])"
    );
    let copy = steps.clone();
    assert_eq!(steps.nth(1), Some(Step(2)));
    assert_eq!(
        (steps.next_back(), steps.next_back()),
        (Some(Step(3)), None)
    );
    assert_eq!((steps.next(), steps.as_slice()), (None, [].as_slice()));
    assert_eq!(copy.collect::<Vec<_>>(), [Step(7), Step(2), Step(3)]);
}

#[test]
fn what_is_left_goes_with_the_iterator() {
    #[derive(MmManaged)]
    struct Crumb(#[expect(dead_code, reason = "counts")] Token);

    let census = Census::default();
    let mut crumbs = MmBox::from_fn(6, |_| Crumb(census.token())).into_iter();
    let first = crumbs.next();
    drop(crumbs.next_back());
    assert_eq!((census.dropped(), live::<Crumb>()), (1, (1, 6)));
    drop(crumbs);
    assert_eq!((census.dropped(), live::<Crumb>()), (5, (0, 0)));
    drop(first);
    assert_eq!((census.dropped(), census.alive()), (6, 0));
}

#[test]
fn collecting_believes_no_size_hint() {
    struct Liar(Range<usize>, (usize, Option<usize>));
    impl Iterator for Liar {
        type Item = Step;
        fn next(&mut self) -> Option<Step> {
            self.0.next().map(Step)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            self.1
        }
    }
    for claim in [(0, Some(0)), (9, Some(9)), (0, None)] {
        assert_eq!(
            Liar(0..4, claim).collect::<MmBox<[Step]>>(),
            MmBox::from_fn(4, Step)
        );
    }
}
