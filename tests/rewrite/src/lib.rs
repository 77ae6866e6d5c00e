//! Macros that change a type behind the derive's back.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};

use proc_macro::{TokenStream, TokenTree};

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

/// Writes its argument in place of the item.
#[proc_macro_attribute]
pub fn becomes(arguments: TokenStream, _: TokenStream) -> TokenStream {
    arguments
}

/// Writes a constant `X`, each time with another one of the numbers that are its arguments.
///
/// # Panics
///
/// If it is called more often than it has arguments.
#[proc_macro_attribute]
pub fn number_each_time(arguments: TokenStream, _: TokenStream) -> TokenStream {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let number = arguments.into_iter().nth(call);
    let number = number.unwrap_or_else(|| panic!("no argument for call {call}"));
    constant(&number)
}

/// Writes a constant `X` that is 0 the first four times, and 9 from then on.
///
/// # Panics
///
/// Never.
#[proc_macro_derive(Zero4Times)]
pub fn zero_4_times(_: TokenStream) -> TokenStream {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let is_later = CALLS.fetch_add(1, Ordering::Relaxed) >= 4;
    constant(&if is_later { 9 } else { 0 })
}

fn constant(number: &dyn Display) -> TokenStream {
    let constant = format!("const X: usize = {number};");
    constant.parse().expect("a constant")
}

/// Writes another one of its arguments, which stand in brackets, at each call.
///
/// # Panics
///
/// If it is called more often than it has arguments.
#[proc_macro]
pub fn each_time(arguments: TokenStream) -> TokenStream {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    match arguments.into_iter().nth(call) {
        Some(TokenTree::Group(argument)) => argument.stream(),
        _ => panic!("no argument for call {call}"),
    }
}
