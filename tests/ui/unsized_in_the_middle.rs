#[derive(mm::MmManaged)]
struct Job {
    run: dyn Fn() + Send,
    number: u32,
}

#[derive(mm::MmManaged)]
#[repr(u8)]
enum Step {
    First(dyn Fn() + Send, u32),
}

fn main() {}
