//! Intrusive lists: push and remove take constant time and no memory.

use core::marker::PhantomData;

use super::link::Link;

/// A type whose values can be on a list. A value is on at most one list of each `Kind` at a time.
pub(in crate::heap) trait Node<Kind = ()>: Sized + 'static {
    fn neighbours(&self) -> &Neighbours<Self>;
}

/// The neighbours of a node on its list.
#[derive(Debug)]
pub(in crate::heap) struct Neighbours<T: 'static> {
    previous: Link<T>,
    next: Link<T>,
}

impl<T> Neighbours<T> {
    pub(in crate::heap) const fn none() -> Self {
        Self {
            previous: Link::none(),
            next: Link::none(),
        }
    }
}

/// A list of nodes, newest first. It changes only under the lock of the nodes' family.
#[derive(Debug)]
pub(in crate::heap) struct List<T: 'static, Kind = ()> {
    newest: Option<&'static T>,
    kind: PhantomData<Kind>,
}

impl<T: Node<Kind>, Kind> List<T, Kind> {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            newest: None,
            kind: PhantomData,
        }
    }

    pub(in crate::heap) fn newest(&self) -> Option<&'static T> {
        self.newest
    }

    pub(in crate::heap) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T, Kind> {
        core::iter::successors(self.newest, |node| node.neighbours().next.get())
    }

    /// The node after `node`, which is on a list.
    pub(in crate::heap) fn after(node: &'static T) -> Option<&'static T> {
        node.neighbours().next.get()
    }

    /// The node before `node`, which is on a list.
    pub(in crate::heap) fn before(node: &'static T) -> Option<&'static T> {
        node.neighbours().previous.get()
    }

    /// Adds a node that is on no list.
    pub(in crate::heap) fn push(&mut self, node: &'static T) {
        let before = self.newest.replace(node);
        node.neighbours().previous.set(None);
        node.neighbours().next.set(before);
        if let Some(before) = before {
            before.neighbours().previous.set(Some(node));
        }
    }

    /// Removes a node that is on this list.
    pub(in crate::heap) fn remove(&mut self, node: &'static T) {
        let (previous, next) = (
            node.neighbours().previous.get(),
            node.neighbours().next.get(),
        );
        match previous {
            Some(previous) => previous.neighbours().next.set(next),
            None => self.newest = next,
        }
        if let Some(next) = next {
            next.neighbours().previous.set(previous);
        }
    }

    /// Removes the newest node.
    pub(in crate::heap) fn pop(&mut self) -> Option<&'static T> {
        let node = self.newest?;
        self.remove(node);
        Some(node)
    }
}
