#[derive(mm::MmManaged)]
#[mm(max_bytes = "16777216 TiB", max_units = 18_446_744_073_709_551_616)]
struct Emp(u8);

fn main() {}
