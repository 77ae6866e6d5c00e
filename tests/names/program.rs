//! Holds memory in collections of all kinds, and prints what mm says about it, for `main.rs`.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hint::black_box;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

#[global_allocator]
static HEAP: mm::Global = mm::Global::new();

/// Values in each collection.
const COUNT: u64 = 2_000;

#[expect(dead_code, reason = "what it is made of is not used")]
struct Message {
    id: u64,
    body: [u64; 3],
}

impl Message {
    fn new(id: u64) -> Self {
        let body = [id; 3];
        Self { id, body }
    }
}

/// Makes what is on the line, and prints what its memory should be attributed to.
macro_rules! held {
    ($type:literal: $made:expr) => {{
        println!("held\t{}\t{}:{}", $type, file!(), line!());
        Box::new($made) as Box<dyn Any>
    }};
}

/// Makes a collection by calls of one of its functions.
macro_rules! filled {
    ($all:expr, $name:ident => $add:expr) => {{
        let mut $name = $all;
        (0..COUNT).for_each($add);
        $name
    }};
}

fn vectors() -> Vec<Box<dyn Any>> {
    vec![
        held!("Vec<Message>": filled!(Vec::new(), all => |id| all.push(Message::new(id)))),
        held!("Vec<u8>": vec![7_u8; 90_000]),
        held!("VecDeque<Message>": filled!(VecDeque::new(), all => |id| all.push_back(Message::new(id)))),
        held!("Vec<(u64, Message)>": (0..COUNT).map(|id| (id, Message::new(id))).collect::<Vec<_>>()),
        held!("Box<[u64]>": Box::<[u64]>::new_uninit_slice(black_box(9_000))),
        held!("BinaryHeap<u64>": filled!(BinaryHeap::new(), all => |id| all.push(id))),
    ]
}

fn texts() -> Vec<Box<dyn Any>> {
    let long = |part: &str| part.repeat(black_box(30_000));
    vec![
        held!("String": format!("{:>60000}", black_box(7))),
        held!("String": filled!(String::new(), all => |id| all.push_str(["an even text", "an odd one"][usize::from(id % 2 == 0)]))),
        held!("String": "a part".repeat(black_box(10_000))),
        held!("PathBuf": PathBuf::from("/").join(long("a"))),
    ]
}

fn maps() -> Vec<Box<dyn Any>> {
    vec![
        held!("HashMap<u64, Message>": filled!(HashMap::new(), all => |id| assert!(all.insert(id, Message::new(id)).is_none()))),
        held!("HashSet<u64>": filled!(HashSet::new(), all => |id| assert!(all.insert(id)))),
        held!("BTreeMap<u64, Message>": filled!(BTreeMap::new(), all => |id| assert!(all.insert(id, Message::new(id)).is_none()))),
        held!("BTreeSet<u64>": filled!(BTreeSet::new(), all => |id| assert!(all.insert(id)))),
    ]
}

fn values() -> Vec<Box<dyn Any>> {
    vec![
        held!("Box<Message>": filled!(Vec::with_capacity(2_000), all => |id| all.push(Box::new(Message::new(id))))),
        held!("Arc<Message>": filled!(Vec::with_capacity(2_000), all => |id| all.push(Arc::new(Message::new(id))))),
        held!("Rc<Message>": filled!(Vec::with_capacity(2_000), all => |id| all.push(Rc::new(Message::new(id))))),
        held!("LinkedList<u64>": filled!(LinkedList::new(), all => |id| all.push_back(id))),
        held!("Arc<[u8]>": Arc::<[u8]>::from(black_box(&[7; 80_000][..]))),
    ]
}

fn main() {
    let held = [vectors(), texts(), maps(), values()];
    let profile = mm::heap_profile();
    println!("live\t{}", profile.live_bytes);
    for (kind, groups) in [("type", profile.by_type()), ("site", profile.by_site())] {
        for group in &groups.groups {
            let bytes = group.usage.live_bytes.value();
            println!("{kind}\t{}\t{bytes}", group.name);
        }
        println!("{kind}\t\t{}", groups.unattributed_bytes());
    }
    assert!(held.iter().flatten().count() > 10);
}
