#[derive(mm::MmManaged)]
#[mm(max_bytes = "64 MB")]
struct Emp(u8);

#[derive(mm::MmManaged)]
#[mm(max_bytes = "64")]
struct Manager(u8);

#[derive(mm::MmManaged)]
#[mm(max_bytes = "1.5 GiB")]
struct Guest(u8);

fn main() {}
