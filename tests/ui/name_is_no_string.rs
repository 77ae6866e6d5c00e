#[derive(mm::MmManaged)]
#[mm(name = 3)]
struct Emp(u8);

fn main() {}
