//! Bounds on the fields one by one would be ambiguous here.

use mm::MmManaged;

#[derive(MmManaged)]
#[mm(instances(Parts<u8>))]
struct Parts<'a, 'b, T: 'static> {
    _one: &'a str,
    _other: &'b str,
    _forever: &'static str,
    _generic: Option<&'a T>,
    _bound: Option<&'b dyn for<'c> Fn(&'c str) -> &'a str>,
}

#[derive(MmManaged)]
struct Optional<'a, 'b> {
    one: Option<&'a u8>,
    _other: Option<&'b u8>,
    _forever: Option<&'static u8>,
}

pub(crate) fn main() {
    assert!(Optional::xcalloc(1)[0].one.is_none());
}
