//! The macros' output compiles in a crate that is as strict as can be, has no prelude, and has its
//! own ideas of what `mm`, `core` and `Option` are.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    non_local_definitions,
    single_use_lifetimes,
    trivial_casts,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::default_numeric_fallback,
    clippy::min_ident_chars,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::multiple_inherent_impl,
    clippy::std_instead_of_core,
    clippy::undocumented_unsafe_blocks
)]
#![no_implicit_prelude]

/// Types beside everything that a macro finds if it writes relative paths.
pub mod types {
    pub use self::names::*;

    /// Names that mean something else elsewhere.
    pub mod names {
        /// Not a parameter.
        #[derive(::core::fmt::Debug)]
        #[non_exhaustive]
        pub struct __R;
        /// No crate.
        pub mod core {}
        /// No trait.
        pub trait Deref {}
        /// No function.
        #[inline]
        pub const fn drop() {}
        /// No trait.
        pub trait FnOnce {}
        /// No trait.
        pub trait From {}
        /// No crate.
        pub mod inventory {}
        /// No crate.
        pub mod mm {}
        /// No trait.
        pub trait MmManaged {}
        /// No variant.
        #[derive(::core::fmt::Debug)]
        #[non_exhaustive]
        pub struct None;
        /// No enum.
        #[derive(::core::fmt::Debug)]
        #[non_exhaustive]
        pub struct Option;
        /// No enum.
        #[derive(::core::fmt::Debug)]
        #[non_exhaustive]
        pub struct Result;
        /// No trait.
        pub trait Send {}
        /// No variant.
        #[derive(::core::fmt::Debug)]
        #[non_exhaustive]
        pub struct Some;
        /// No crate.
        pub mod std {}
        /// No trait.
        pub trait Sync {}
        /// No trait.
        pub trait ZeroInit {}
    }

    /// Public, with a field of a type that is not.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    #[non_exhaustive]
    pub struct Account {
        /// Private in type and by itself.
        secret: Secret,
        /// Public.
        pub sum: u64,
    }

    impl Account {
        /// What is not public.
        #[inline]
        #[must_use]
        pub const fn secret(&self) -> u32 {
            self.secret.code
        }
    }

    /// Borrows.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    #[non_exhaustive]
    pub struct Borrowing<'text> {
        /// What it borrows.
        pub text: &'text str,
    }

    /// A number or bytes.
    #[derive(::mm::MmManaged)]
    #[repr(C)]
    pub union Bits {
        /// As bytes.
        pub bytes: [u8; 4],
        /// As a number.
        pub number: f32,
    }

    impl ::core::fmt::Debug for Bits {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str("Bits")
        }
    }

    /// An enum with a zero.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    #[mm(max_bytes = "64 MiB", max_units = 1_000)]
    #[non_exhaustive]
    #[repr(u8)]
    pub enum Kind {
        /// The zero.
        Empty,
        /// The rest.
        Full([u16; 3]),
    }

    /// Has parameters with the names the output uses inside.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    #[mm(name = "parameters", instances(Parameters<'_, __R>))]
    #[non_exhaustive]
    pub struct Parameters<'__mm, __R> {
        /// Uses the one parameter.
        pub plain: ::core::marker::PhantomData<__R>,
        /// Uses the other.
        pub text: &'__mm str,
    }

    /// Has an instance that is written as an alias, since there may be a macro behind the sign.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    #[mm(instances(Row<{ !0xFE }, u8>, Row<'_, 1, __R>))]
    #[non_exhaustive]
    pub struct Row<'text, const N: u8, T> {
        /// Uses the one parameter.
        pub plain: ::core::marker::PhantomData<T>,
        /// Uses the other.
        pub text: &'text str,
    }

    /// Not public.
    #[derive(::core::fmt::Debug, ::mm::MmManaged)]
    struct Secret {
        /// Its content.
        code: u32,
    }

    ::mm::family!(
        /// Another crate's type.
        #[derive(::core::fmt::Debug)]
        #[mm(max_units = 1_000)]
        pub struct Texts(::std::vec::Vec<::std::string::String>);
    );

    ::mm::family!(
        /// Another crate's type, known here alone.
        #[derive(::core::fmt::Debug)]
        struct Inner<'text>(::std::borrow::Cow<'text, str>);
    );

    /// Uses types that no other code sees: their names, a content and a length.
    #[inline]
    #[must_use]
    pub fn local() -> (&'static str, u32, usize) {
        /// Local to the function.
        #[derive(::core::fmt::Debug, ::mm::MmManaged)]
        struct Local {
            /// Its content.
            number: u32,
        }
        let inner: Inner<'_> = ::core::convert::From::from(::std::borrow::Cow::Borrowed("text"));
        let name = <Local as ::mm::MmManaged>::page_family().name();
        (
            name,
            ::mm::MmBox::new(Local { number: 3 }).number,
            inner.len(),
        )
    }
}

/// What the attribute writes is as strict.
#[::core::prelude::v1::test]
#[::mm::no_leaks]
fn wrapped_code_works_under_strict_lints() {
    /// Wrapped, with a scope and a result.
    #[::mm::no_leaks(scope)]
    fn wrapped(text: &str) -> ::core::result::Result<u32, ::core::num::ParseIntError> {
        let _: &::mm::LeakScope = scope;
        let number: u32 = text.parse()?;
        ::core::result::Result::Ok(number)
    }
    ::core::assert_eq!(wrapped("7"), ::core::result::Result::Ok(7));
}

/// Calls what was derived, so that nothing is dead code by accident.
#[::core::prelude::v1::test]
fn derived_code_works_under_strict_lints() {
    use ::mm::MmManaged as _;

    let accounts = types::Account::xcalloc(2);
    ::core::assert_eq!(accounts[1].secret(), 0);
    ::core::assert_eq!(types::Bits::xcalloc(1).len(), 1);
    ::core::assert!(::core::matches!(
        types::Kind::xcalloc(1)[0],
        types::Kind::Empty
    ));
    ::core::assert_eq!(types::Borrowing::page_family().name(), "Borrowing");
    ::core::assert_eq!(
        types::Parameters::<types::__R>::page_family().name(),
        "parameters"
    );
    ::core::assert_eq!(
        types::Row::<1, u8>::page_family().name(),
        "Row<{!0xFE}, u8>"
    );
    ::core::assert_eq!(types::local(), ("Local", 3, 4));
    let texts: types::Texts = ::core::convert::From::from(::std::vec::Vec::new());
    ::core::assert!(texts.into_inner().is_empty());
}
