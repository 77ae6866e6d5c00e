//! The derive macro of `mm`, the crate of typed heaps, and its attribute for tests. Use them through
//! `mm`, which re-exports them.
//!
//! `derive` does the work in three steps. `item` reads the type (with `generics`, and `tokens` for what
//! is only passed on) and `parse` its `#[mm(...)]` attributes; `validate` finds the mistakes and decides
//! what to write (with `instances` for generic types, `amount` for limits and `zero` for zeroed
//! values); `expand` writes it, with `zeroable` and `mistakes`. `no_leaks` is the attribute.

mod amount;
mod derive;
mod expand;
mod generics;
mod instances;
mod item;
mod mistakes;
mod no_leaks;
mod parse;
mod tokens;
mod validate;
mod zero;
mod zeroable;

use proc_macro::TokenStream;

/// Gives a type a page family of its own.
///
/// It works on structs, enums and unions, also on those inside functions. A type with lifetime
/// parameters has one family for all lifetimes. A type with type or const parameters names its
/// [instances](#instances).
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp {
///     name: [u8; 32],
///     emp_id: u32,
/// }
///
/// let emps: MmBox<[Emp]> = Emp::xcalloc(3);
/// assert_eq!(emps[2].emp_id, 0);
/// assert_eq!(Emp::page_family().name(), "Emp");
/// assert!(mm::families().any(|family| family.name() == "Emp"));
/// # Emp::xfree(emps);
/// ```
///
/// # What it implements
///
/// `mm::MmManaged`, and `bytemuck::Zeroable`, which makes it `mm::ZeroInit`, where that can be read
/// from the source:
///
/// * for structs and unions when every field is `Zeroable`. A type with a field that is not, such
///   as a `String`, derives all the same; only `xcalloc` on it is an error, which names the
///   field's type;
/// * for enums with `repr(C)` or an integer `repr` in which some variant has the discriminant 0,
///   implicit or as a literal, when every field of that variant is `Zeroable`;
/// * for other enums never.
///
/// With it, safe code can make a value of zero bytes without the type's constructors.
/// Unsafe code that relies on a field being something else, say a raw pointer that is never
/// null, must give that field a type that says so, say `NonNull`.
///
/// Attribute macros that change the type go above the derive: it reads the type as it is below
/// them. A change behind its back that would make a zeroed value none is an error. Of a generic enum
/// with attributes that the derive does not know, only the instances it names are `Zeroable`.
///
/// # Attributes
///
/// Each may be given once, in one `#[mm(...)]` or in several.
///
/// ## `name`
///
/// The family's name in reports; without it, the name of the type.
///
/// ```
/// # use mm::MmManaged;
/// #[derive(MmManaged)]
/// #[mm(name = "employees")]
/// struct Emp(u32);
///
/// assert_eq!(Emp::page_family().name(), "employees");
/// ```
///
/// ## `instances`
///
/// Which instances of a generic type have page families. Each has its own, named as it is written
/// here. A lifetime parameter is left out or written `'_`, which makes one family for all
/// lifetimes.
///
/// Types with several instances release their blocks by address, which takes some instructions more:
/// safe code may turn a box of `Node<for<'a> fn(&'a u8)>` into one of `Node<fn(&'static u8)>`, and the
/// block belongs to the first all the same.
///
/// A macro in an instance is called once: the type it writes then has the family. There, lifetimes are
/// left out as parameters of the type alone, not inside of another argument.
///
/// With a single instance rustc takes that one wherever an argument is left open: name it where
/// `Node::new(..)` does not say which it is.
///
/// ```
/// # use mm::MmManaged;
/// #[derive(MmManaged)]
/// #[mm(instances(Node<u32>, Node<String>))]
/// struct Node<T> {
///     value: T,
/// }
///
/// assert_eq!(Node::<u32>::page_family().name(), "Node<u32>");
/// assert_eq!(Node::<String>::page_family().name(), "Node<String>");
/// ```
///
/// ## `crate`
///
/// Where to find `mm`, if it was renamed or comes through another crate. It must lead to the real
/// one: the generated code relies on what is there. The path is read where the type is. Macros write `crate = $crate` or `crate = $crate::mm`.
///
/// ```
/// mod reexport {
///     pub use mm;
/// }
///
/// #[derive(reexport::mm::MmManaged)]
/// #[mm(crate = "reexport::mm")]
/// struct Emp(u32);
/// ```
///
/// ## `max_bytes` and `max_units`
///
/// How much may be live at a time: bytes, as a whole number or as a size in quotes with the unit
/// `B`, `KiB`, `MiB`, `GiB` or `TiB`, or units of the type. Of both, the smaller binds. What would
/// exceed it is refused: `try_new`, `try_xcalloc` and `try_from_fn` answer `AllocError::QuotaExceeded`,
/// but `MmBox::new`, `xcalloc`, `from_fn`, `clone` and `From` panic. `PageFamily::set_limit` changes the
/// limit while the program runs.
///
/// The limit is for each family. Of a generic type each of the `instances` has it for itself:
/// two with 64 MiB may hold 128 MiB together. A type without size meets no limit of bytes.
///
/// ```
/// # use mm::MmManaged;
/// #[derive(MmManaged)]
/// #[mm(max_bytes = "64 MiB", max_units = 1_000)]
/// struct Emp(u32);
///
/// #[derive(MmManaged)]
/// #[mm(instances(Node<u32>, Node<String>), max_bytes = 65_536)]
/// struct Node<T>(T);
///
/// let emps = Emp::xcalloc(1_000);
/// let one_more = Emp::try_xcalloc(1);
/// assert!(matches!(one_more, Err(mm::AllocError::QuotaExceeded { .. })));
/// # drop(emps);
/// ```
///
/// ## `zeroable`
///
/// Leaves `Zeroable` out, because the type has an implementation of its own: two would conflict.
/// It is also the way to keep values of a type from being zeroed, by having none.
///
/// ```
/// # use mm::MmManaged;
/// #[derive(Clone, Copy, MmManaged)]
/// #[mm(zeroable)]
/// struct Point(f32, f32);
///
/// // SAFETY: all-zero bytes are the point `(0.0, 0.0)`.
/// unsafe impl bytemuck::Zeroable for Point {}
///
/// assert_eq!(Point::xcalloc(2)[1].0, 0.0);
/// ```
#[proc_macro_derive(MmManaged, attributes(mm))]
pub fn derive_mm_managed(input: TokenStream) -> TokenStream {
    derive::derive(input.into()).into()
}

/// Fails a test that leaks: runs the function's body in `mm::no_leaks(...)`, the function of the same
/// name.
///
/// Everything else about the function stays as it is: its other attributes, `#[test]` and
/// `#[should_panic]` among them, its visibility, its parameters, which the body takes over, and what
/// it returns. It need not be a test.
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// #[mm::no_leaks] // beside `#[test]`
/// fn ids_are_parsed() -> Result<(), std::num::ParseIntError> {
///     let emp = MmBox::new(Emp("7".parse()?));
///     assert_eq!(emp.0, 7);
///     Ok(())
/// }
/// # ids_are_parsed().unwrap();
/// ```
///
/// # Arguments
///
/// A name makes the scope known to the body. Threads that are started through it are counted too.
///
/// ```
/// #[mm::no_leaks(scope)]
/// fn with_threads() {
///     scope.spawn(|| { /* allocates and releases */ }).join().unwrap();
/// }
/// # with_threads();
/// ```
///
/// `crate = "..."` says where to find `mm`, as it does for the derive.
///
/// ```
/// mod reexport {
///     pub use mm as heap;
/// }
///
/// #[reexport::heap::no_leaks(crate = "reexport::heap")]
/// fn elsewhere() {}
/// # elsewhere();
/// ```
///
/// # Async tests
///
/// An async function makes a future, which somebody else runs. Put `no_leaks` below the attribute that
/// makes a plain function of it, as `#[tokio::test]` does. It counts what the
/// test's own thread allocates, so the runtime should have one thread.
#[proc_macro_attribute]
pub fn no_leaks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    no_leaks::wrap(arguments.into(), &item.into()).into()
}
