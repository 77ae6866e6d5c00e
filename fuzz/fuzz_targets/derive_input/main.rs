//! The derive on arbitrary types and attributes: it never panics, and what it writes are items.
//!
//! A macro crate cannot be linked, so its modules are part of this one.

#![no_main]

mod grammar;
mod invisible;
mod outcome;
mod words;

#[path = "../../../mm-derive/src/amount.rs"]
mod amount;
#[path = "../../../mm-derive/src/cursor.rs"]
mod cursor;
#[path = "../../../mm-derive/src/derive.rs"]
mod derive;
#[path = "../../../mm-derive/src/expand.rs"]
mod expand;
#[path = "../../../mm-derive/src/family.rs"]
mod family;
#[path = "../../../mm-derive/src/generics.rs"]
mod generics;
#[path = "../../../mm-derive/src/instances.rs"]
mod instances;
#[path = "../../../mm-derive/src/item.rs"]
mod item;
#[path = "../../../mm-derive/src/mistakes.rs"]
mod mistakes;
#[path = "../../../mm-derive/src/parse.rs"]
mod parse;
#[path = "../../../mm-derive/src/tokens.rs"]
mod tokens;
#[path = "../../../mm-derive/src/validate.rs"]
mod validate;
#[path = "../../../mm-derive/src/zero.rs"]
mod zero;
#[path = "../../../mm-derive/src/zeroable.rs"]
mod zeroable;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{DeriveInput, Token, Type, parenthesized};

use crate::grammar::Item;

/// Longer sources say nothing new, and the parser needs stack for each level.
const LONGEST: usize = 2_048;

/// One input: a type by the grammar, or any text.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Item(Item<'a>),
    Text(&'a str),
}

fuzz_target!(|input: Input<'_>| {
    if let Some(tokens) = tokens(&source(&input)) {
        let is_item = syn::parse2(tokens.clone()).is_ok_and(|item| is_rust(&item));
        let output = derive::derive(tokens);
        // rustc hands over nothing else. The derive, which passes much on as it is, only must not panic.
        if is_item {
            outcome::require(output);
        }
    }
});

fn source(input: &Input<'_>) -> String {
    match input {
        Input::Item(item) => item.to_string(),
        Input::Text(text) => (*text).to_owned(),
    }
}

/// What rustc would hand to the derive, if it is more than letters.
fn tokens(source: &str) -> Option<TokenStream> {
    if source.len() > LONGEST {
        return None;
    }
    let tokens = source.parse().ok()?;
    Some(invisible::groups(tokens))
}

/// Whether rustc would hand the item over, and all instances are types: the derive relies on rustc
/// for both. syn takes `_` for a parameter's name.
fn is_rust(item: &DeriveInput) -> bool {
    let mut are_types = item.generics.type_params().all(|param| param.ident != "_");
    for attr in item.attrs.iter().filter(|attr| attr.path().is_ident("mm")) {
        // What is wrong elsewhere is the derive's to find.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("instances") {
                let list;
                parenthesized!(list in meta.input);
                let types = Punctuated::<Type, Token![,]>::parse_terminated(&list);
                are_types &= types.is_ok();
                list.parse::<TokenStream>()?;
            }
            while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
                meta.input.parse::<TokenTree>()?;
            }
            Ok(())
        });
    }
    are_types
}
