#[derive(mm::MmManaged)]
struct Emp {
    #[mm(name = "n")]
    number: u8,
}

fn main() {}
