use mm::MmManaged;

#[derive(MmManaged)]
struct Emp {
    name: String,
}

fn main() {
    let _ = Emp::xcalloc(3);
}
