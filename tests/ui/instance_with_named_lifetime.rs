#[derive(mm::MmManaged)]
#[mm(instances(Slice<'a, u8>))]
struct Slice<'a, T>(&'a T);

fn main() {}
