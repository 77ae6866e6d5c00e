//! What the derive makes of a type.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Error, File, Item};

use crate::expand;
use crate::parse::Attrs;
use crate::validate::Plan;

/// Does what `derive` in mm-derive's `lib.rs` does, and requires that it makes sense.
pub fn require(item: &DeriveInput) {
    let (attrs, mistakes) = Attrs::parse(item);
    if let Some(mistakes) = mistakes {
        return require_mistakes(item, &attrs, &mistakes);
    }
    match Plan::new(item, &attrs) {
        Ok(plan) => require_plan(&plan),
        Err(mistakes) => require_mistakes(item, &attrs, &mistakes),
    }
}

/// A plan has families with names, each in a block of its own, and no error.
fn require_plan(plan: &Plan<'_>) {
    assert!(!plan.families.is_empty());
    assert!(plan.families.iter().all(|family| !family.name.is_empty()));
    let file = items(&expand::plan(plan));
    assert_eq!(errors(&file), 0);
    assert!(file.items.len() >= plan.families.len());
}

/// Mistakes have messages, and each is in what rustc gets to see.
fn require_mistakes(item: &DeriveInput, attrs: &Attrs, mistakes: &Error) {
    let messages: Vec<_> = mistakes.into_iter().map(|one| one.to_string()).collect();
    assert!(!messages.is_empty());
    assert!(messages.iter().all(|message| !message.is_empty()));
    let file = items(&expand::mistakes(item, attrs, mistakes));
    assert_eq!(errors(&file), messages.len());
}

fn items(output: &TokenStream) -> File {
    let file = syn::parse2(output.clone());
    file.unwrap_or_else(|error| panic!("{error} in the output: {output}"))
}

/// Counts the `compile_error!` among the items.
fn errors(file: &File) -> usize {
    let is_error = |item: &&Item| {
        let path = match item {
            Item::Macro(call) => &call.mac.path,
            _ => return false,
        };
        let last = path.segments.last();
        last.is_some_and(|last| last.ident == "compile_error")
    };
    file.items.iter().filter(is_error).count()
}
