struct Other<T>(T);

#[derive(mm::MmManaged)]
#[mm(instances(Node<u8>, Other<u8>))]
struct Node<T>(T);

fn main() {}
