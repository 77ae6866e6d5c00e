#[derive(mm::MmManaged)]
enum Emp {
    #[mm(zeroable)]
    First,
}

fn main() {}
