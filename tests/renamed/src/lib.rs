//! A crate that knows mm as `heap`, and passes it on as `typed_heap`.

pub use heap as typed_heap;
use heap::MmManaged;

/// Derived with the other name in quotes.
#[derive(Debug, MmManaged)]
#[mm(crate = "heap")]
pub struct Quoted(pub u32);

/// Derived with the path from the root.
#[derive(Debug, MmManaged)]
#[mm(crate = "::heap")]
pub struct Rooted(pub u32);

/// Derived through a module of this crate.
#[derive(Debug, MmManaged)]
#[mm(crate = "crate::typed_heap")]
pub struct ReExported(pub u32);

/// Derived with a bare path, and an enum to have a variant bound.
#[derive(Debug, MmManaged)]
#[mm(crate = heap)]
#[repr(u8)]
pub enum Bare {
    /// All-zero bytes.
    First(u32),
    /// Anything else.
    Second,
}

heap::family!(
    /// A newtype where `mm` is no name.
    #[derive(Debug)]
    pub struct Words(Vec<String>);
);

/// Defines a type with a page family, for crates that have no mm of their own.
#[macro_export]
macro_rules! managed {
    ($name:ident) => {
        #[derive($crate::typed_heap::MmManaged)]
        #[mm(crate = $crate::typed_heap)]
        struct $name(u32);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    managed!(ByMacro);

    #[test]
    fn every_way_to_name_the_crate_registers() {
        let names: Vec<_> = heap::families().map(heap::PageFamily::name).collect();
        let expected = ["Bare", "Quoted", "ReExported", "Rooted", "Words", "ByMacro"];
        assert_eq!(names, expected);
    }

    #[test]
    #[heap::no_leaks(crate = "heap")]
    fn the_attribute_of_tests_finds_the_crate() {
        drop(heap::MmBox::new(Quoted(7)));
    }

    #[test]
    fn zeroed_values_need_no_crate_called_mm() {
        assert_eq!(Quoted::xcalloc(2)[1].0, 0);
        assert_eq!(Rooted::xcalloc(2)[1].0, 0);
        assert_eq!(ReExported::xcalloc(2)[1].0, 0);
        assert_eq!(ByMacro::xcalloc(2)[1].0, 0);
        assert!(matches!(Bare::xcalloc(2)[1], Bare::First(0)));
    }
}
