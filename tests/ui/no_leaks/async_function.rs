#[mm::no_leaks]
async fn allocates() {}

fn main() {
    drop(allocates());
}
