#[derive(mm::MmManaged)]
#[mm(zeroed)]
struct Emp(u8);

fn main() {}
