//! An instance with a macro is written as an alias, in which lifetimes cannot be left out.

use mm::MmManaged;

macro_rules! text {
    () => { str };
}

#[derive(MmManaged)]
#[mm(instances(Node<&text!()>))]
struct Node<T>(T);

fn main() {}
