//! The derive itself, on tokens that exist outside of macros too: the fuzzer calls it as rustc does.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::expand;
use crate::parse::Attrs;
use crate::validate::Plan;

/// Reads a type and writes what its derive stands for.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(item) => of_item(&item),
        Err(mistake) => mistake.into_compile_error(),
    }
}

/// Writes the implementations, or the mistakes and as much as keeps follow-up errors away.
fn of_item(item: &DeriveInput) -> TokenStream {
    let (attrs, mistakes) = Attrs::parse(item);
    if let Some(mistakes) = mistakes {
        return expand::mistakes(item, &attrs, &mistakes);
    }
    match Plan::new(item, &attrs) {
        Ok(plan) => expand::plan(&plan),
        Err(mistakes) => expand::mistakes(item, &attrs, &mistakes),
    }
}
