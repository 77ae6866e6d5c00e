#[derive(mm::MmManaged)]
#[mm(max_bytes = "0 MiB", max_units = 0)]
struct Emp(u8);

fn main() {
    drop(mm::MmBox::new(Emp(1)));
}
