//! Types that hold themselves.

use mm::MmManaged;

#[derive(MmManaged)]
struct List {
    _next: Option<Box<Self>>,
    _value: u32,
}

#[derive(MmManaged)]
#[mm(instances(Tree<u32>))]
struct Tree<T>
where
    Self: MmManaged,
    T: Copy,
{
    children: [Option<Box<Tree<T>>>; 2],
    _value: T,
}

pub(crate) fn main() {
    assert_eq!(List::xcalloc(2).len(), 2);
    assert!(Tree::<u32>::xcalloc(1)[0].children[0].is_none());
}
