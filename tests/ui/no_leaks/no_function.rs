#[mm::no_leaks]
struct Emp(u32);

#[mm::no_leaks]
mod inner {}

trait Allocates {
    #[mm::no_leaks]
    fn allocate(&self);
}

impl Allocates for Emp {
    fn allocate(&self) {}
}

fn main() {
    Emp(7).allocate();
}
