use mm::MmManaged;

#[derive(MmManaged)]
enum Kind {
    First,
    Second,
}

fn main() {
    let _ = Kind::xcalloc(3);
}
