//! Reads the instances of a generic type.

use proc_macro2::{Delimiter, Group, Ident, Punct, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{
    DeriveInput, Error, GenericArgument, GenericParam, Lifetime, PathArguments, PathSegment,
    Result, Token, Type,
};

use crate::parse::{Instances, Mistakes};
use crate::validate::Family;

/// Arguments as they stand between angle brackets.
type Arguments = Punctuated<GenericArgument, Token![,]>;

/// Makes the error for a generic type without instances.
pub(crate) fn missing_instances(item: &DeriveInput) -> Error {
    Error::new_spanned(&item.ident, example(item))
}

/// Shows the line to write, with the type's own name.
fn example(item: &DeriveInput) -> String {
    let (first, second) = (sample(item, "u32"), sample(item, "String"));
    let list = if first == second {
        first
    } else {
        format!("{first}, {second}")
    };
    format!(
        "a generic type has one page family per instance; name them: `#[mm(instances({list}))]`"
    )
}

/// Writes the type's name with arguments of the right kinds.
fn sample(item: &DeriveInput, type_argument: &str) -> String {
    let arguments: Vec<_> = item
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Lifetime(_) => None,
            GenericParam::Type(_) => Some(type_argument),
            GenericParam::Const(param) => Some(sample_const(&param.ty)),
        })
        .collect();
    format!("{}<{}>", item.ident, arguments.join(", "))
}

/// Writes a constant of one of the types that const parameters can have.
fn sample_const(ty: &Type) -> &'static str {
    match ty {
        Type::Path(ty) if ty.path.is_ident("bool") => "true",
        Type::Path(ty) if ty.path.is_ident("char") => "'c'",
        _ => "16",
    }
}

/// Makes the families of a generic type.
pub(crate) fn instances(
    item: &DeriveInput,
    list: &Instances,
    given: Option<&str>,
) -> Result<Vec<Family>> {
    if list.types.is_empty() {
        return Err(Error::new(list.span, example(item)));
    }
    let mut mistakes = Mistakes::default();
    let mut families: Vec<Family> = Vec::new();
    for ty in &list.types {
        if let Some(family) = mistakes.note(instance(item, ty, given)) {
            mistakes.note(check_new(&families, &family, ty));
            families.push(family);
        }
    }
    mistakes.or(families)
}

/// Refuses an instance that is written twice. Two spellings of one type are left to rustc.
fn check_new(families: &[Family], family: &Family, ty: &Type) -> Result<()> {
    let header = family.header_type.to_string();
    let is_same = |other: &Family| other.header_type.to_string() == header;
    if families.iter().any(is_same) {
        return Err(Error::new_spanned(ty, "this instance is given twice"));
    }
    Ok(())
}

/// Makes the family of one instance.
fn instance(item: &DeriveInput, ty: &Type, given: Option<&str>) -> Result<Family> {
    let ident = &item.ident;
    let arguments = arguments_of(item, ty)?;
    let of_static = arguments.iter().map(lengthened);
    Ok(Family {
        name: given.map_or_else(|| as_written(ty.to_token_stream()), str::to_owned),
        generic: false,
        header_type: quote!(#ident <#arguments>),
        static_type: quote!(#ident <#(#of_static),*>),
    })
}

/// The arguments of an instance, with `'_` for lifetimes that are left out.
fn arguments_of(item: &DeriveInput, ty: &Type) -> Result<Arguments> {
    let segment = own_segment(&item.ident, ty)?;
    let given = match &segment.arguments {
        PathArguments::AngleBracketed(list) => list.args.clone(),
        _ => Arguments::new(),
    };
    given.iter().try_for_each(check_lifetime)?;
    Ok(with_lifetimes(item.generics.lifetimes().count(), given))
}

/// The one segment of an instance's path, which must be the type itself: a longer path could lead
/// to another type of the same name.
fn own_segment<'a>(ident: &Ident, ty: &'a Type) -> Result<&'a PathSegment> {
    match ty {
        Type::Path(ty) if ty.qself.is_none() && ty.path.leading_colon.is_none() => ty
            .path
            .segments
            .first()
            .filter(|only| ty.path.segments.len() == 1 && only.ident == *ident),
        _ => None,
    }
    .ok_or_else(|| {
        let message = format!("not an instance of `{ident}`; write `{ident}<...>`");
        Error::new_spanned(ty, message)
    })
}

/// Refuses a named lifetime, which nothing declares.
fn check_lifetime(argument: &GenericArgument) -> Result<()> {
    match argument {
        GenericArgument::Lifetime(named) if named.ident != "_" && named.ident != "static" => {
            Err(Error::new_spanned(
                named,
                "leave lifetimes out or write `'_`: one page family serves them all",
            ))
        }
        _ => Ok(()),
    }
}

/// Writes `'_` for every lifetime parameter if no lifetime is given.
fn with_lifetimes(parameters: usize, given: Arguments) -> Arguments {
    let is_lifetime = |argument: &_| matches!(argument, GenericArgument::Lifetime(_));
    if given.iter().any(is_lifetime) {
        return given;
    }
    let left_out = Lifetime::new("'_", proc_macro2::Span::call_site());
    let lifetimes = (0..parameters).map(|_| GenericArgument::Lifetime(left_out.clone()));
    lifetimes.chain(given).collect()
}

/// Writes `'static` for `'_`: statics have no other lifetimes.
fn lengthened(argument: &GenericArgument) -> TokenStream {
    match argument {
        GenericArgument::Lifetime(_) => quote!('static),
        other => other.to_token_stream(),
    }
}

/// Writes tokens as a person would: no spaces but after commas and between words.
fn as_written(tokens: TokenStream) -> String {
    let mut text = String::new();
    write_tokens(&mut text, tokens);
    text
}

/// Appends tokens to `text`.
fn write_tokens(text: &mut String, tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => write_group(text, &group),
            TokenTree::Punct(punct) => write_punct(text, &punct),
            word => write_word(text, &word.to_string()),
        }
    }
}

/// Appends a group with its delimiters.
fn write_group(text: &mut String, group: &Group) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::None => ("", ""),
    };
    text.push_str(open);
    write_tokens(text, group.stream());
    text.push_str(close);
}

/// Appends one character of punctuation; signs that separate get spaces.
fn write_punct(text: &mut String, punct: &Punct) {
    let sign = punct.as_char();
    match sign {
        ',' | ';' => text.extend([sign, ' ']),
        '+' | '=' => text.extend([' ', sign, ' ']),
        _ => text.push(sign),
    }
}

/// Appends a word, apart from a word before it.
fn write_word(text: &mut String, word: &str) {
    let is_word = |last: char| last.is_alphanumeric() || last == '_';
    if text.chars().next_back().is_some_and(is_word) {
        text.push(' ');
    }
    text.push_str(word);
}
