#[derive(mm::MmManaged)]
#[mm(instances(crate::Node<u8>))]
struct Node<T>(T);

fn main() {}
