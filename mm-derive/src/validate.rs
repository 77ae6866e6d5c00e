//! Finds mistakes, and decides what to write: the families, their limits, and the fields that must be
//! zeroable.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Error, Lit, Path, Result};

use crate::amount;
use crate::family::Family;
use crate::generics::Generics;
use crate::instances::{instances, missing_instances};
use crate::item::{Data, Item};
use crate::parse::{Attrs, Instances, Mistakes};
use crate::tokens::{bare, is_word, sign};
use crate::zero::Zero;

/// The decisions that `expand` writes.
pub(crate) struct Plan<'a> {
    /// The type.
    pub(crate) item: &'a Item,
    /// Path of the `mm` crate.
    pub(crate) krate: Path,
    /// One for each instance; one for a type without type and const parameters.
    pub(crate) families: Vec<Family>,
    /// The limits of each family.
    pub(crate) limits: Limits,
    /// Whether all-zero bytes are a value.
    pub(crate) zero: Zero,
}

/// The limits of a family. Both may be given.
pub(crate) struct Limits {
    pub(crate) bytes: Option<u64>,
    pub(crate) units: Option<u64>,
}

impl<'a> Plan<'a> {
    /// Makes a plan, or returns all mistakes.
    pub(crate) fn new(item: &'a Item, attrs: &Attrs) -> Result<Self> {
        let mut mistakes = Mistakes::default();
        mistakes.note(check_name(attrs));
        mistakes.note(check_sized(item));
        let families = mistakes.note(families(item, attrs)).unwrap_or_default();
        let limits = limits(attrs, &mut mistakes);
        mistakes.or(Self {
            item,
            krate: attrs.krate(),
            families,
            limits,
            zero: Zero::of(item, attrs),
        })
    }
}

/// Rejects an empty name, and one name for several families.
fn check_name(attrs: &Attrs) -> Result<()> {
    let Some(name) = &attrs.name else {
        return Ok(());
    };
    if name.value().is_empty() {
        return Err(Error::new_spanned(
            name,
            "a page family's name cannot be empty",
        ));
    }
    match &attrs.instances {
        Some(Instances { types, .. }) if types.len() > 1 => Err(Error::new_spanned(
            name,
            "one name for several instances would not tell their page families apart; \
             without `name`, each is called as it is written in `instances`",
        )),
        _ => Ok(()),
    }
}

/// Reads the limits.
fn limits(attrs: &Attrs, mistakes: &mut Mistakes) -> Limits {
    let mut read = |value: Option<&Lit>, read: fn(&Lit) -> Result<u64>| {
        value.and_then(|value| mistakes.note(read(value)))
    };
    Limits {
        bytes: read(attrs.max_bytes.as_ref(), amount::bytes),
        units: read(attrs.max_units.as_ref(), amount::units),
    }
}

/// Rejects a last field that is plainly unsized. If an alias hides that, rustc reports it.
pub(crate) fn check_sized(item: &Item) -> Result<()> {
    let Data::Struct(fields) = &item.data else {
        return Ok(());
    };
    match fields.last() {
        Some(last) if is_unsized(last.ty.clone()) => Err(Error::new_spanned(
            &last.ty,
            format_args!(
                "`{}` has no fixed size because of this field, and a page family's units all have the same",
                item.ident
            ),
        )),
        _ => Ok(()),
    }
}

/// Returns whether the syntax of a type shows that it is unsized.
fn is_unsized(ty: TokenStream) -> bool {
    match &*bare(ty) {
        [TokenTree::Group(only)] if only.delimiter() == Delimiter::Bracket => !only
            .stream()
            .into_iter()
            .any(|token| sign(&token) == Some(';')),
        [TokenTree::Group(only)] if only.delimiter() == Delimiter::Parenthesis => {
            let is_tuple = |token| sign(&token) == Some(',');
            !only.stream().into_iter().any(is_tuple) && is_unsized(only.stream())
        }
        [only] => is_word(only, "str"),
        // In edition 2015 `dyn` may be the name of a module.
        [first, second, ..] => is_word(first, "dyn") && sign(second) != Some(':'),
        [] => false,
    }
}

/// Makes the families of a type.
fn families(item: &Item, attrs: &Attrs) -> Result<Vec<Family>> {
    let given = attrs.name.as_ref().map(syn::LitStr::value);
    match (&attrs.instances, is_generic(&item.generics)) {
        (None, false) => Ok(vec![only_family(item, given)]),
        (None, true) => Err(missing_instances(item)),
        (Some(list), false) => Err(Error::new(
            list.span,
            format_args!(
                "`{}` has neither type nor const parameters: it is one page family and needs no `instances`",
                item.ident
            ),
        )),
        (Some(list), true) => instances(item, list, given.as_deref()),
    }
}

/// Returns whether a type has parameters other than lifetimes, which make it several types.
fn is_generic(generics: &Generics) -> bool {
    generics.params.len() > generics.lifetimes()
}

/// Makes the family of a type that has at most lifetime parameters.
fn only_family(item: &Item, given: Option<String>) -> Family {
    let ident = &item.ident;
    let (_, arguments, _) = item.generics.split_for_impl();
    let statics = (0..item.generics.lifetimes()).map(|_| quote!('static));
    Family {
        name: given.unwrap_or_else(|| ident.unraw().to_string()),
        generic: true,
        alias: None,
        header_type: quote!(#ident #arguments),
        static_type: quote!(#ident <#(#statics),*>),
    }
}
