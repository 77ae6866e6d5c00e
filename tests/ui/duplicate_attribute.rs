#[derive(mm::MmManaged)]
#[mm(name = "emp")]
#[mm(name = "employee")]
struct Emp(u8);

fn main() {}
