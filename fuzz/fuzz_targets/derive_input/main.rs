//! The derive on arbitrary types and attributes. It never panics, and its output consists of items.
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

/// The longest source, in bytes. The parser needs stack for each level of nesting, and longer sources find
/// nothing new.
const LONGEST: usize = 2_048;

/// One input: a type from the grammar, or any text.
#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Item(Item<'a>),
    Text(&'a str),
}

fuzz_target!(|input: Input<'_>| {
    if let Some(tokens) = tokens(&source(&input)) {
        let is_item = syn::parse2(tokens.clone()).is_ok_and(|item| is_rust(&item));
        let output = derive::derive(tokens);
        // rustc passes only items to a derive. For other input it must not panic; it passes many tokens on
        // unread, so its output may be anything.
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

/// Returns the tokens that rustc would pass to the derive, if the source consists of tokens.
fn tokens(source: &str) -> Option<TokenStream> {
    if source.len() > LONGEST {
        return None;
    }
    let tokens = source.parse().ok()?;
    Some(invisible::groups(tokens))
}

/// Returns whether rustc would pass the item on, and whether all instances are types. The derive leaves both
/// checks to rustc. syn accepts `_` as the name of a parameter.
fn is_rust(item: &DeriveInput) -> bool {
    let mut are_types = item.generics.type_params().all(|param| param.ident != "_");
    for attr in item.attrs.iter().filter(|attr| attr.path().is_ident("mm")) {
        // The derive reports all other mistakes.
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
