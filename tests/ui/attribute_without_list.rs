#[derive(mm::MmManaged)]
#[mm = "emp"]
struct Emp(u8);

fn main() {}
