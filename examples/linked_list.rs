//! A linked list with raw pointers: `into_raw` gives a node away, `from_raw` takes it back.

use std::ptr;

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Node {
    word: String,
    next: *mut Node,
}

/// A list that owns its nodes through raw pointers.
///
/// Invariant: `first` and each `next` is null, or came from `into_raw` and has no copy elsewhere.
struct List {
    first: *mut Node,
}

impl List {
    fn push(&mut self, word: &str) {
        let (word, next) = (word.to_owned(), self.first);
        self.first = MmBox::into_raw(MmBox::new(Node { word, next }));
    }

    fn pop(&mut self) -> Option<MmBox<Node>> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: by the invariant the pointer came from `into_raw`, and the next line overwrites it.
        let node = unsafe { MmBox::from_raw(self.first) };
        self.first = node.next;
        Some(node)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

fn live_nodes() -> u64 {
    let snapshot = mm::snapshot();
    snapshot.family("Node").map_or(0, |node| node.live_units)
}

fn main() {
    let first = ptr::null_mut();
    let mut list = List { first };
    list.push("one");
    list.push("two");
    list.push("three");
    println!("{} nodes live", live_nodes());

    if let Some(node) = list.pop() {
        println!("popped `{}`", node.word);
    }
    println!("{} nodes live", live_nodes());

    drop(list);
    println!("{} nodes live", live_nodes());
}
