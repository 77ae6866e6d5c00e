#[derive(mm::MmManaged)]
#[mm(max_bytes = "64 MiB")]
#[mm(max_bytes = 65_536)]
struct Emp(u8);

#[derive(mm::MmManaged)]
#[mm(max_units = 1, max_units = 2)]
struct Manager(u8);

fn main() {}
