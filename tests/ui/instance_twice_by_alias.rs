type Byte = u8;

#[derive(mm::MmManaged)]
#[mm(instances(Node<u8>, Node<Byte>))]
struct Node<T>(T);

fn main() {}
