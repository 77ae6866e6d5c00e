//! Decides whether all-zero bytes are a value of a type, and under which conditions.
//!
//! The conditions become bounds, because only rustc knows the fields' types.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Lit;

use crate::cursor::Attr;
use crate::item::{Data, Field, Item, Variant};
use crate::parse::Attrs;
use crate::tokens::{bare, sign};

/// Whether all-zero bytes are a value of a type.
pub(crate) enum Zero {
    /// The program decides: the type has the attribute `#[mm(zeroable)]`.
    Elsewhere,
    /// No, as far as the source shows.
    Never,
    /// Yes, if they are a value of each of these types.
    If(Vec<TokenStream>),
}

impl Zero {
    /// Reads a type.
    ///
    /// For a union all fields count, so that a value that safe code makes is readable through each of them.
    pub(crate) fn of(item: &Item, attrs: &Attrs) -> Self {
        if attrs.zeroable() {
            return Self::Elsewhere;
        }
        match &item.data {
            Data::Struct(fields) | Data::Union(fields) => Self::if_all(fields),
            Data::Enum(variants) => zero_variant(&item.attrs, variants)
                .map_or(Self::Never, |variant| Self::if_all(&variant.fields)),
        }
    }

    /// Requires all fields to be zeroable. Fields with the same text are all listed, because two paths of one
    /// text may lead to different types: `$crate::Id` from the macros of two crates, for example.
    fn if_all<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        Self::If(fields.into_iter().map(|field| field.ty.clone()).collect())
    }
}

/// Returns the variant of all-zero bytes, if the layout is fixed and the source shows the variant.
pub(crate) fn zero_variant<'a>(attrs: &[Attr], variants: &'a [Variant]) -> Option<&'a Variant> {
    if !has_fixed_tag(attrs) {
        return None;
    }
    let mut previous = Some(-1);
    variants.iter().find(|variant| {
        previous = discriminant(variant, previous);
        previous == Some(0)
    })
}

/// Returns whether a `repr` puts the tag first and makes it the discriminant.
fn has_fixed_tag(attrs: &[Attr]) -> bool {
    let mut fixed = false;
    for attr in attrs.iter().filter(|attr| attr.is("repr")) {
        // rustc reports a `repr` that cannot be read.
        let Ok(attr) = attr.read() else { continue };
        let _ = attr.parse_nested_meta(|meta| {
            fixed |= meta
                .path
                .get_ident()
                .is_some_and(|word| fixes_tag(&word.to_string()));
            skip_argument(meta.input)
        });
    }
    fixed
}

/// Returns whether rustc compiles the type as the derive read it. That holds if all attributes are rustc's
/// own: a macro with one of these names would be ambiguous, and rustc rejects it.
pub(crate) fn is_as_written(attrs: &[Attr]) -> bool {
    const OF_RUSTC: [&str; 11] = [
        "allow",
        "deny",
        "deprecated",
        "doc",
        "expect",
        "forbid",
        "mm",
        "must_use",
        "non_exhaustive",
        "repr",
        "warn",
    ];
    attrs.iter().all(|attr| attr.path_is_one_of(&OF_RUSTC))
}

/// Skips an argument, such as the `(8)` of `align(8)`.
fn skip_argument(input: syn::parse::ParseStream<'_>) -> syn::Result<()> {
    if input.peek(syn::token::Paren) {
        input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

/// Returns whether one word of a `repr` fixes an enum's tag.
fn fixes_tag(word: &str) -> bool {
    matches!(
        word,
        "C" | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
    )
}

/// Returns a variant's discriminant if the source shows it.
fn discriminant(variant: &Variant, previous: Option<i128>) -> Option<i128> {
    match &variant.discriminant {
        Some(expression) => literal(expression.clone()),
        None => previous?.checked_add(1),
    }
}

/// Returns the value of a literal, which may be negative or in parentheses.
fn literal(expression: TokenStream) -> Option<i128> {
    match &*bare(expression) {
        [TokenTree::Group(inner)] if inner.delimiter() == Delimiter::Parenthesis => {
            literal(inner.stream())
        }
        [minus, rest @ ..] if sign(minus) == Some('-') => {
            literal(rest.iter().cloned().collect())?.checked_neg()
        }
        [TokenTree::Literal(only)] => match Lit::new(only.clone()) {
            Lit::Int(value) => value.base10_parse().ok(),
            Lit::Byte(value) => Some(value.value().into()),
            _ => None,
        },
        _ => None,
    }
}
