use mm::MmManaged;

#[derive(MmManaged)]
struct Part<'a>(&'a str);

fn main() {
    let _ = Part::xcalloc(3);
}
