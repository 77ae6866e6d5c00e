//! The description of one page family that the derive writes.

use proc_macro2::TokenStream;

/// One page family.
pub(crate) struct Family {
    /// Its name in reports.
    pub(crate) name: String,
    /// Whether the implementation repeats the type's generics; an instance has none.
    pub(crate) generic: bool,
    /// The alias for both types below, if a macro in the instance could produce a different type each
    /// time.
    pub(crate) alias: Option<TokenStream>,
    /// The type as written in the header of an implementation.
    pub(crate) header_type: TokenStream,
    /// The same type with `'static` for each lifetime parameter, for its statics.
    pub(crate) static_type: TokenStream,
}
