#[derive(mm::MmManaged)]
#[mm(instances())]
struct Node<T>(T);

fn main() {}
