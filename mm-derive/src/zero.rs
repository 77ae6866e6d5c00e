//! Decides whether all-zero bytes can be a value, and what must hold for that.
//!
//! What is written are bounds, not answers: the fields' types are known to rustc alone.

use syn::{Attribute, Data, DataEnum, DeriveInput, Expr, Field, Lit, Type, UnOp, Variant};

use crate::parse::Attrs;

/// Whether all-zero bytes are a value of a type.
pub(crate) enum Zero {
    /// Somebody else says so: the type has `#[mm(zeroable)]`.
    Elsewhere,
    /// Not as far as the source says.
    Never,
    /// If they are a value of each of these types.
    If(Vec<Type>),
}

impl Zero {
    /// Reads a type.
    ///
    /// Of a union all fields are asked, although one would do for reading that one: what safe
    /// code makes should be readable in every way.
    pub(crate) fn of(item: &DeriveInput, attrs: &Attrs) -> Self {
        if attrs.zeroable() {
            return Self::Elsewhere;
        }
        match &item.data {
            Data::Struct(data) => Self::if_all(&data.fields),
            Data::Union(data) => Self::if_all(&data.fields.named),
            Data::Enum(data) => zero_variant(&item.attrs, data)
                .map_or(Self::Never, |variant| Self::if_all(&variant.fields)),
        }
    }

    /// Asks all fields. None is left out because another reads the same: two paths of one text,
    /// such as `$crate::Id` from the macros of two crates, may lead to different types.
    fn if_all<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        Self::If(fields.into_iter().map(|field| field.ty.clone()).collect())
    }
}

/// The variant that all-zero bytes are, if the layout is fixed and the source says which it is.
pub(crate) fn zero_variant<'a>(attrs: &[Attribute], data: &'a DataEnum) -> Option<&'a Variant> {
    if !has_fixed_tag(attrs) {
        return None;
    }
    let mut previous = Some(-1);
    data.variants.iter().find(|variant| {
        previous = discriminant(variant, previous);
        previous == Some(0)
    })
}

/// Whether a `repr` says that the tag comes first and is the discriminant.
fn has_fixed_tag(attrs: &[Attribute]) -> bool {
    let mut fixed = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        // A `repr` that cannot be read is rustc's to report.
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

/// Reads over the `(8)` of `align(8)`.
fn skip_argument(input: syn::parse::ParseStream<'_>) -> syn::Result<()> {
    if input.peek(syn::token::Paren) {
        input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

/// Whether one word of a `repr` fixes an enum's tag.
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

/// A variant's discriminant, if it can be read from the source.
fn discriminant(variant: &Variant, previous: Option<i128>) -> Option<i128> {
    match &variant.discriminant {
        Some((_, expression)) => literal(expression),
        None => previous?.checked_add(1),
    }
}

/// The value of a literal, also of a negative one.
fn literal(expression: &Expr) -> Option<i128> {
    match expression {
        Expr::Group(inner) => literal(&inner.expr),
        Expr::Paren(inner) => literal(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, UnOp::Neg(_)) => {
            literal(&inner.expr)?.checked_neg()
        }
        Expr::Lit(inner) => match &inner.lit {
            Lit::Int(value) => value.base10_parse().ok(),
            Lit::Byte(value) => Some(value.value().into()),
            _ => None,
        },
        _ => None,
    }
}
