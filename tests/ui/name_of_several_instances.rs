#[derive(mm::MmManaged)]
#[mm(name = "nodes", instances(Node<u8>, Node<u16>))]
struct Node<T>(T);

fn main() {}
