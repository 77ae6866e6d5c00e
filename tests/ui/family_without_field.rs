mm::family!(pub struct Table;);

fn main() {}
