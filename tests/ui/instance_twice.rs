#[derive(mm::MmManaged)]
#[mm(instances(Node<u8>, Node<u8>))]
struct Node<T>(T);

fn main() {}
