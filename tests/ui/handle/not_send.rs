//! What may not move to another thread may not either when it is owned.

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Local(std::rc::Rc<u8>);

fn main() {
    let local = MmBox::new(Local(std::rc::Rc::new(1)));
    std::thread::spawn(move || drop(local));
}
