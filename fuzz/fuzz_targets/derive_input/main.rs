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
#[path = "../../../mm-derive/src/check.rs"]
mod check;
#[path = "../../../mm-derive/src/derive.rs"]
mod derive;
#[path = "../../../mm-derive/src/expand.rs"]
mod expand;
#[path = "../../../mm-derive/src/instances.rs"]
mod instances;
#[path = "../../../mm-derive/src/parse.rs"]
mod parse;
#[path = "../../../mm-derive/src/validate.rs"]
mod validate;
#[path = "../../../mm-derive/src/zero.rs"]
mod zero;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

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
        outcome::require(derive::derive(tokens));
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
