#[derive(mm::MmManaged)]
struct Text {
    length: u32,
    bytes: [u8],
}

fn main() {}
