#[derive(mm::MmManaged)]
#[mm(max_bytes = "-64 MiB", max_units = -1)]
struct Emp(u8);

fn main() {}
