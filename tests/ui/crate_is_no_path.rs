#[derive(mm::MmManaged)]
#[mm(crate = "my heap")]
struct Emp(u8);

fn main() {}
