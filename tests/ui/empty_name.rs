#[derive(mm::MmManaged)]
#[mm(name = "")]
struct Emp(u8);

fn main() {}
