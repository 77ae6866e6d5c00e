//! Reads the instances of a generic type, and makes their families.

use proc_macro2::{Delimiter, Group, Ident, Punct, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Error, Lifetime, Result};

use crate::cursor::tokens_of;
use crate::family::Family;
use crate::generics::Kind;
use crate::item::Item;
use crate::parse::{Instances, Mistakes};
use crate::tokens::{at_commas, bare, end_of_list, is_word, sign, word};

/// Makes the error for a generic type without instances.
pub(crate) fn missing_instances(item: &Item) -> Error {
    Error::new_spanned(&item.ident, example(item))
}

/// Returns the error text, with an example of `instances` for this type.
fn example(item: &Item) -> String {
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

/// Returns the type's name with arguments of the right kinds.
fn sample(item: &Item, type_argument: &str) -> String {
    let arguments: Vec<_> = item
        .generics
        .params
        .iter()
        .filter_map(|param| match &param.kind {
            Kind::Lifetime => None,
            Kind::Type => Some(type_argument),
            Kind::Const(ty) => Some(sample_const(ty)),
        })
        .collect();
    format!("{}<{}>", item.ident, arguments.join(", "))
}

/// Returns a sample value for a const parameter. Its type can be an integer, `bool` or `char`.
fn sample_const(ty: &TokenStream) -> &'static str {
    match &*bare(ty.clone()) {
        [only] if is_word(only, "bool") => "true",
        [only] if is_word(only, "char") => "'c'",
        _ => "16",
    }
}

/// Makes the families of a generic type.
pub(crate) fn instances(item: &Item, list: &Instances, given: Option<&str>) -> Result<Vec<Family>> {
    if list.types.is_empty() {
        return Err(Error::new(list.span, example(item)));
    }
    let mut mistakes = Mistakes::default();
    let mut families: Vec<Family> = Vec::new();
    for ty in &list.types {
        let ty = tokens_of(ty);
        let number = families.len();
        if let Some(family) = mistakes.note(instance(item, &ty, number, given)) {
            mistakes.note(check_new(&families, &family, &ty));
            families.push(family);
        }
    }
    mistakes.or(families)
}

/// Rejects an instance that is written twice. rustc finds two spellings of one type.
fn check_new(families: &[Family], family: &Family, ty: &TokenStream) -> Result<()> {
    let header = family.header_type.to_string();
    let is_same = |other: &Family| other.header_type.to_string() == header;
    if families.iter().any(is_same) {
        return Err(Error::new_spanned(ty, "this instance is given twice"));
    }
    Ok(())
}

/// Makes the family of one instance.
fn instance(item: &Item, ty: &TokenStream, number: usize, given: Option<&str>) -> Result<Family> {
    let ident = &item.ident;
    let arguments = arguments_of(item, ty)?;
    let name = given.map_or_else(|| as_written(ty.clone()), str::to_owned);
    if can_expand(ty.clone()) {
        return Ok(by_alias(ident, &arguments, number, name));
    }
    let of_static = arguments.iter().map(with_static);
    Ok(Family {
        name,
        generic: false,
        alias: None,
        header_type: quote!(#ident <#(#arguments),*>),
        static_type: quote!(#ident <#(#of_static),*>),
    })
}

/// Returns whether a type may contain a macro, which may expand differently each time. A call has a `!`. An
/// attribute or derive, on an item in a block, has a `#`.
fn can_expand(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match &token {
        TokenTree::Group(group) => can_expand(group.stream()),
        _ => matches!(sign(&token), Some('!' | '#')),
    })
}

/// Makes the family of an instance that is written only once, as an alias. Not all instances have one: an
/// alias cannot leave out lifetimes inside its arguments, but the header of an implementation can.
fn by_alias(ident: &Ident, arguments: &[TokenStream], number: usize, name: String) -> Family {
    let alias = format_ident!("__MmInstance{number}");
    let mut parameters = Vec::new();
    let mut named = |argument: &TokenStream| match lifetime(argument) {
        Some(left_out) if left_out == "_" => {
            let fresh = format!("'__mm{}", parameters.len());
            parameters.push(Lifetime::new(&fresh, Span::call_site()));
            parameters.last().to_token_stream()
        }
        _ => argument.clone(),
    };
    let arguments: Vec<_> = arguments.iter().map(&mut named).collect();
    let of_header = parameters.iter().map(|_| quote!('_));
    let of_static = parameters.iter().map(|_| quote!('static));
    Family {
        name,
        generic: false,
        header_type: quote!(#alias <#(#of_header),*>),
        static_type: quote!(#alias <#(#of_static),*>),
        alias: Some(quote!(type #alias <#(#parameters),*> = #ident <#(#arguments),*>;)),
    }
}

/// Returns the arguments of an instance, with `'_` for lifetimes that are left out.
fn arguments_of(item: &Item, ty: &TokenStream) -> Result<Vec<TokenStream>> {
    let given = own_arguments(&item.ident, &bare(ty.clone())).ok_or_else(|| {
        let message = format!("not an instance of `{0}`; write `{0}<...>`", item.ident);
        Error::new_spanned(ty, message)
    })?;
    let given: Vec<_> = given.iter().map(|argument| tokens_of(argument)).collect();
    given.iter().try_for_each(check_lifetime)?;
    Ok(with_lifetimes(item.generics.lifetimes(), given))
}

/// Returns the arguments in an instance's path. The path must be the type's own name, because a longer path
/// could lead to another type of that name.
fn own_arguments(ident: &Ident, path: &[TokenTree]) -> Option<Vec<Vec<TokenTree>>> {
    let (name, list) = path.split_first()?;
    if word(name)?.unraw() != ident.unraw() {
        return None;
    }
    let list = match list {
        [one, two, list @ ..] if [one, two].map(sign) == [Some(':'); 2] => list,
        _ => list,
    };
    match list {
        [] => Some(Vec::new()),
        [first, inside @ .., _] if sign(first) == Some('<') && end_of_list(list) == list.len() => {
            Some(at_commas(inside.iter().cloned()))
        }
        _ => None,
    }
}

/// Returns the name of a lifetime if the argument is one.
fn lifetime(argument: &TokenStream) -> Option<Ident> {
    match &*bare(argument.clone()) {
        [apostrophe, name] if sign(apostrophe) == Some('\'') => word(name).cloned(),
        _ => None,
    }
}

/// Rejects a named lifetime: nothing declares it.
fn check_lifetime(argument: &TokenStream) -> Result<()> {
    match lifetime(argument) {
        Some(name) if name != "_" && name != "static" => Err(Error::new_spanned(
            argument,
            "leave lifetimes out or write `'_`: one page family serves them all",
        )),
        _ => Ok(()),
    }
}

/// Adds `'_` for each lifetime parameter if no lifetime is given.
fn with_lifetimes(parameters: usize, given: Vec<TokenStream>) -> Vec<TokenStream> {
    if given.iter().any(|argument| lifetime(argument).is_some()) {
        return given;
    }
    let left_out = (0..parameters).map(|_| quote!('_));
    left_out.chain(given).collect()
}

/// Replaces a lifetime by `'static`: a static has no other lifetimes.
fn with_static(argument: &TokenStream) -> TokenStream {
    lifetime(argument).map_or_else(|| argument.clone(), |_| quote!('static))
}

/// Returns tokens as a person would write them: spaces only after commas and between words, and no `r#`.
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
            TokenTree::Ident(word) => write_word(text, &word.unraw().to_string()),
            TokenTree::Literal(value) => write_word(text, &value.to_string()),
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

/// Appends one character of punctuation. Separators get spaces.
fn write_punct(text: &mut String, punct: &Punct) {
    let sign = punct.as_char();
    match sign {
        ',' | ';' => text.extend([sign, ' ']),
        '+' | '=' => text.extend([' ', sign, ' ']),
        _ => text.push(sign),
    }
}

/// Appends a word, and a space between it and a word before it.
fn write_word(text: &mut String, word: &str) {
    let is_word = |last: char| last.is_alphanumeric() || last == '_';
    if text.chars().next_back().is_some_and(is_word) {
        text.push(' ');
    }
    text.push_str(word);
}
