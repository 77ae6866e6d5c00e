#[derive(mm::MmManaged)]
#[mm(instances(Slice<'static>))]
struct Slice<'a>(&'a u8);

fn main() {}
