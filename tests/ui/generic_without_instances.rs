use mm::MmManaged;

#[derive(MmManaged)]
struct Tree<K, const N: usize, V> {
    key: K,
    values: [V; N],
}

fn main() {
    let _ = Tree::<u8, 2, u8>::page_family();
}
