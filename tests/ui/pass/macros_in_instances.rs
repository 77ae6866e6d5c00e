//! A macro in an instance may write another type each time, so each instance is written once: its family
//! has the layout and the path of the type that has the family.

use mm::{MmBox, MmManaged};
use mm_test_rewrite::{each_time, number_each_time};

#[derive(MmManaged)]
#[mm(instances(Node<each_time!((u64) (u8) (u8) (u8) (u8))>))]
struct Node<T>(T);

#[derive(MmManaged)]
#[mm(instances(Row<'_, { #[number_each_time(2 3 4 5 6 7)] const X: usize = 0; X }, u8>))]
#[derive(Clone, Copy)] // The derive does not know that it changes nothing.
#[repr(u8)]
enum Row<'a, const N: usize, T> {
    Numbers([T; N]),
    _Text(&'a str),
}

fn of_any_lifetime(_: &str) -> MmBox<[Row<'_, 2, u8>]> {
    Row::xcalloc(3)
}

pub(crate) fn main() {
    assert_eq!(MmBox::new(Node(7_u64)).0, 7);
    let node = Node::<u64>::page_family();
    assert_eq!(node.layout(), std::alloc::Layout::new::<Node<u64>>());
    assert!(node.path().ends_with("::Node<u64>"), "{}", node.path());

    let text = String::from("text");
    let rows = of_any_lifetime(&text);
    assert!(matches!(rows[2], Row::Numbers([0, 0])));
    let one = MmBox::new(Row::Numbers([1_u8; 2]));
    assert!(matches!(*one, Row::Numbers([1, 1])));
    let row = Row::<2, u8>::page_family();
    assert!(row.path().ends_with("2, u8>"), "{}", row.path());
}
