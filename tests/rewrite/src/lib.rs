//! An attribute macro that changes a type behind the derive's back.

use proc_macro::TokenStream;

/// Writes `&'static str` wherever the item says `u64`.
///
/// # Panics
///
/// If the item is no longer Rust then.
#[proc_macro_attribute]
pub fn rewrite(_: TokenStream, item: TokenStream) -> TokenStream {
    let changed = item.to_string().replace("u64", "&'static str");
    changed.parse().expect("still an item")
}
