#[derive(mm::MmManaged)]
#[mm(max_bytes = true, max_units = "1000")]
struct Emp(u8);

#[derive(mm::MmManaged)]
#[mm(max_bytes = 64usize, max_units = 1.5)]
struct Manager(u8);

const MOST: u64 = 7;

#[derive(mm::MmManaged)]
#[mm(max_units = MOST)]
struct Guest(u8);

fn main() {}
