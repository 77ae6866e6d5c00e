type Bytes = [u8];

#[derive(mm::MmManaged)]
struct Text(Bytes);

fn main() {}
