//! One generic type, three page families: each instance has its own pages and its own figures.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
#[mm(instances(Tree<u8>, Tree<u64>, Tree<String>))]
struct Tree<T>
where
    Tree<T>: MmManaged,
{
    value: T,
    left: Option<MmBox<Tree<T>>>,
    right: Option<MmBox<Tree<T>>>,
}

impl<T: Ord> Tree<T>
where
    Tree<T>: MmManaged,
{
    fn leaf(value: T) -> MmBox<Self> {
        let (left, right) = (None, None);
        MmBox::new(Self { value, left, right })
    }

    fn insert(&mut self, value: T) {
        let side = if value < self.value {
            &mut self.left
        } else {
            &mut self.right
        };
        match side {
            Some(tree) => tree.insert(value),
            None => *side = Some(Self::leaf(value)),
        }
    }

    fn of(first: T, others: impl IntoIterator<Item = T>) -> MmBox<Self> {
        let mut tree = Self::leaf(first);
        others.into_iter().for_each(|value| tree.insert(value));
        tree
    }
}

fn main() {
    let _small = Tree::of(5_u8, [2, 7, 1]);
    let _large = Tree::of(50_u64, (0..100).filter(|number| *number != 50));
    let _words = Tree::of("of".to_owned(), ["one".to_owned(), "type".to_owned()]);

    for family in mm::snapshot().families {
        let (name, units, bytes) = (family.name, family.live_units, family.unit_size);
        println!("{name:<12}  {units:>3} live units of {bytes} bytes");
    }
}
