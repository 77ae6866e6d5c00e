#[derive(Clone, Copy, mm::MmManaged, bytemuck::Zeroable)]
struct Point(f32, f32);

fn main() {}
