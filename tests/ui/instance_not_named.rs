use mm::MmManaged;

#[derive(MmManaged)]
#[mm(instances(Node<u8>))]
struct Node<T>(T);

fn main() {
    let _ = Node::<u16>::page_family();
}
