//! The derive macro of `mm`, the crate of typed heaps, and its attribute for tests. Use them through
//! `mm`, which re-exports them.
//!
//! `derive` works in three steps:
//!
//! 1. `item` reads the type, and `parse` its `#[mm(...)]` attributes. `generics` reads parameters, and
//!    `cursor` and `tokens` the rest, most of which is only passed on.
//! 2. `validate` finds the mistakes and decides what to write, with `instances` for generic types, `amount`
//!    for limits and `zero` for zeroed values.
//! 3. `expand` writes it, with `zeroable` and `mistakes`.
//!
//! `no_leaks` is the attribute.

mod amount;
mod cursor;
mod derive;
mod expand;
mod family;
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

#[doc = include_str!("derive.md")]
#[proc_macro_derive(MmManaged, attributes(mm))]
pub fn derive_mm_managed(input: TokenStream) -> TokenStream {
    derive::derive(input.into()).into()
}

#[doc = include_str!("no_leaks.md")]
#[proc_macro_attribute]
pub fn no_leaks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    no_leaks::wrap(arguments.into(), &item.into()).into()
}
