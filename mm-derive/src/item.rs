//! Parses a type's definition as far as the derive needs it. Types, bounds and lengths stay tokens: the
//! derive passes them on, and rustc parses them.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use syn::{Error, Result};

use crate::cursor::{Attr, Cursor, tokens_of, without_default};
use crate::generics::Generics;
use crate::tokens::{Operands, at_commas, bare, find, group, is_word, sign, split};

/// A type's definition.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) data: Data,
    /// The whole definition.
    pub(crate) tokens: TokenStream,
}

/// The body of a type.
pub(crate) enum Data {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Union(Vec<Field>),
}

pub(crate) struct Field {
    pub(crate) attrs: Vec<Attr>,
    /// Its name, or its index in a tuple.
    pub(crate) member: TokenTree,
    pub(crate) ty: TokenStream,
}

pub(crate) struct Variant {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
    pub(crate) discriminant: Option<TokenStream>,
}

impl Item {
    /// Reads the tokens that rustc passes to a derive.
    pub(crate) fn read(tokens: TokenStream) -> Result<Self> {
        let mut rest = Cursor(bare(tokens.clone()));
        let mut attrs = rest.attrs();
        rest.enter();
        attrs.extend(rest.attrs());
        rest.visibility();
        let keyword = rest.word()?;
        let ident = rest.word()?;
        let params = rest.list();
        let Cursor(body) = rest;
        let (data, conditions) = match &*keyword.to_string() {
            "struct" => of_struct(&body)?,
            "enum" => of_braces(&body, |body| Ok(Data::Enum(variants(body)?)))?,
            "union" => of_braces(&body, |body| Ok(Data::Union(named(body)?)))?,
            _ => return Err(Error::new(keyword.span(), "expected a type's definition")),
        };
        let generics = Generics::new(&params, &conditions);
        Ok(Self {
            attrs,
            ident,
            generics,
            data,
            tokens,
        })
    }
}

/// Reads the tokens after a struct's parameters.
fn of_struct(body: &[TokenTree]) -> Result<(Data, TokenStream)> {
    if let Some(fields) = body
        .first()
        .and_then(|first| group(first, Delimiter::Parenthesis))
    {
        return Ok((Data::Struct(unnamed(fields)), conditions(&body[1..])));
    }
    if body.last().and_then(sign) == Some(';') {
        return Ok((Data::Struct(Vec::new()), conditions(body)));
    }
    of_braces(body, |body| Ok(Data::Struct(named(body)?)))
}

/// Reads conditions and the body in braces after them.
fn of_braces(
    body: &[TokenTree],
    read: impl Fn(&Group) -> Result<Data>,
) -> Result<(Data, TokenStream)> {
    let (braces, before) = body.split_last().unzip();
    match braces.and_then(|last| group(last, Delimiter::Brace)) {
        Some(braces) => Ok((read(braces)?, conditions(before.unwrap_or_default()))),
        None => Err(Error::new_spanned(braces, "expected a body in braces")),
    }
}

/// Returns the conditions after `where`.
fn conditions(tokens: &[TokenTree]) -> TokenStream {
    let is_inside = |token: &&TokenTree| !is_word(token, "where") && sign(token) != Some(';');
    match tokens {
        [first, rest @ ..] if is_word(first, "where") => {
            rest.iter().take_while(is_inside).cloned().collect()
        }
        _ => TokenStream::new(),
    }
}

fn named(braces: &Group) -> Result<Vec<Field>> {
    let fields = at_commas(braces.stream()).into_iter();
    fields.map(named_field).collect()
}

/// Reads `name: Type`. Skips a visibility before the name and a default after the type.
fn named_field(tokens: Vec<TokenTree>) -> Result<Field> {
    let mut rest = Cursor(tokens);
    let attrs = rest.attrs();
    rest.visibility();
    let colon = find(&rest.0, |token| sign(token) == Some(':'));
    let name = colon.and_then(|colon| rest.0.get(colon.checked_sub(1)?));
    let (Some(colon), Some(member)) = (colon, name.cloned()) else {
        return Err(Error::new_spanned(tokens_of(&rest.0), "expected a field"));
    };
    let member = bare(member.into()).remove(0);
    let ty = without_default(&rest.0[colon + 1..]);
    Ok(Field { attrs, member, ty })
}

fn unnamed(parentheses: &Group) -> Vec<Field> {
    let fields = at_commas(parentheses.stream()).into_iter().enumerate();
    fields
        .map(|(index, tokens)| unnamed_field(index, tokens))
        .collect()
}

fn unnamed_field(index: usize, tokens: Vec<TokenTree>) -> Field {
    let mut rest = Cursor(tokens);
    let attrs = rest.attrs();
    rest.visibility();
    Field {
        attrs,
        member: Literal::usize_unsuffixed(index).into(),
        ty: without_default(&rest.0),
    }
}

fn variants(braces: &Group) -> Result<Vec<Variant>> {
    let mut operands = Operands::default();
    let is_between = |token: &TokenTree| {
        let is_outside = operands.pass(token);
        if is_outside && sign(token) == Some(',') {
            operands = Operands::default();
        }
        is_outside
    };
    let variants = split(braces.stream(), is_between).into_iter();
    variants.map(variant).collect()
}

fn variant(tokens: Vec<TokenTree>) -> Result<Variant> {
    let mut rest = Cursor(tokens);
    let attrs = rest.attrs();
    rest.visibility();
    let ident = rest.word()?;
    let fields = match rest.0.first() {
        Some(TokenTree::Group(fields)) if fields.delimiter() == Delimiter::Parenthesis => {
            unnamed(fields)
        }
        Some(TokenTree::Group(fields)) if fields.delimiter() == Delimiter::Brace => named(fields)?,
        _ => Vec::new(),
    };
    let value = rest.0.iter().position(|token| sign(token) == Some('='));
    Ok(Variant {
        attrs,
        ident,
        fields,
        discriminant: value.map(|value| tokens_of(&rest.0[value + 1..])),
    })
}
