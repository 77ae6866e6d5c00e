//! Reads a type's definition as far as the derive must know it. Types, bounds and lengths stay
//! tokens: the derive passes them on, and rustc knows them.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Result, Visibility};

use crate::generics::Generics;
use crate::tokens::{
    Operands, at_commas, bare, end_of_list, find, group, is_word, sign, split, word,
};

/// A type's definition.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) data: Data,
    /// All of it.
    pub(crate) tokens: TokenStream,
}

/// What a type consists of.
pub(crate) enum Data {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Union(Vec<Field>),
}

pub(crate) struct Field {
    pub(crate) attrs: Vec<Attr>,
    /// Its name, or its number.
    pub(crate) member: TokenTree,
    pub(crate) ty: TokenStream,
}

pub(crate) struct Variant {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
    pub(crate) discriminant: Option<TokenStream>,
}

/// An attribute; those of others need not be readable.
pub(crate) struct Attr {
    hash: TokenTree,
    brackets: Group,
}

impl Item {
    /// Reads what rustc hands to a derive.
    pub(crate) fn read(tokens: TokenStream) -> Result<Self> {
        let mut rest = Rest(bare(tokens.clone()));
        let mut attrs = rest.attrs();
        rest.enter();
        attrs.extend(rest.attrs());
        rest.visibility();
        let keyword = rest.word()?;
        let ident = rest.word()?;
        let params = rest.list();
        let Rest(body) = rest;
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

impl Attr {
    /// Whether its path is this one word.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.path_is_one_of(&[name])
    }

    /// Whether its path is one of these words.
    pub(crate) fn path_is_one_of(&self, names: &[&str]) -> bool {
        // A macro's `$a:meta` leaves a group.
        let inside = bare(self.brackets.stream());
        let is_longer = inside.get(1).and_then(sign) == Some(':');
        let is_one = |first| names.iter().any(|name| is_word(first, name));
        !is_longer && inside.first().is_some_and(is_one)
    }

    /// Reads it, which fails if its argument is something that only rustc knows.
    pub(crate) fn read(&self) -> Result<Attribute> {
        let Self { hash, brackets } = self;
        let mut bare = Group::new(Delimiter::Bracket, tokens_of(&bare(brackets.stream())));
        bare.set_span(brackets.span());
        let attrs = Attribute::parse_outer.parse2(quote!(#hash #bare))?;
        let none = || Error::new_spanned(self, "expected an attribute");
        attrs.into_iter().next().ok_or_else(none)
    }
}

impl ToTokens for Attr {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.hash.to_tokens(tokens);
        self.brackets.to_tokens(tokens);
    }
}

/// Tokens that are read one by one.
pub(crate) struct Rest(pub(crate) Vec<TokenTree>);

impl Rest {
    /// Takes all attributes.
    pub(crate) fn attrs(&mut self) -> Vec<Attr> {
        let mut attrs = Vec::new();
        while let Some(attr) = self.attr() {
            attrs.push(attr);
        }
        attrs
    }

    fn attr(&mut self) -> Option<Attr> {
        let [hash, brackets, ..] = &*self.0 else {
            return None;
        };
        let brackets = group(brackets, Delimiter::Bracket)?.clone();
        let hash = (sign(hash) == Some('#')).then(|| hash.clone())?;
        self.0.drain(..2);
        Some(Attr { hash, brackets })
    }

    /// Takes `pub`, `pub(crate)` and the like, also from the variable of a macro.
    pub(crate) fn visibility(&mut self) -> TokenStream {
        // A type in parentheses may come after `pub`, as it does in tuples; syn knows which it is.
        let read = |input: ParseStream<'_>| {
            let visibility: Visibility = input.parse()?;
            let rest: TokenStream = input.parse()?;
            Ok((visibility.into_token_stream(), rest))
        };
        let Ok((visibility, rest)) = read.parse2(tokens_of(&self.0)) else {
            return TokenStream::new();
        };
        self.0 = rest.into_iter().collect();
        visibility
    }

    /// Takes a word.
    pub(crate) fn word(&mut self) -> Result<Ident> {
        self.enter();
        match self.0.first().and_then(word).cloned() {
            Some(word) => {
                self.0.remove(0);
                Ok(word)
            }
            None => Err(Error::new_spanned(self.0.first(), "expected a word")),
        }
    }

    /// Takes off the group around the next token, if it is of a macro's variable.
    pub(crate) fn enter(&mut self) {
        while let Some(group) = self
            .0
            .first()
            .and_then(|first| group(first, Delimiter::None))
        {
            let inside = group.stream();
            self.0.splice(..1, inside);
        }
    }

    /// Takes a list in angle brackets; nothing if there is none.
    pub(crate) fn list(&mut self) -> Vec<TokenTree> {
        match self.0.first().and_then(sign) {
            Some('<') => self.0.drain(..end_of_list(&self.0)).collect(),
            _ => Vec::new(),
        }
    }
}

/// Reads what comes after a struct's parameters.
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

/// Reads conditions and what is in the braces behind them.
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

/// What stands behind `where`.
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

/// Reads `name: Type`, and reads over what may stand before the name or behind the type.
fn named_field(tokens: Vec<TokenTree>) -> Result<Field> {
    let mut rest = Rest(tokens);
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
    let mut rest = Rest(tokens);
    let attrs = rest.attrs();
    rest.visibility();
    Field {
        attrs,
        member: Literal::usize_unsuffixed(index).into(),
        ty: without_default(&rest.0),
    }
}

/// Leaves out what comes behind `=`.
pub(crate) fn without_default(tokens: &[TokenTree]) -> TokenStream {
    let end = find(tokens, |token| sign(token) == Some('='));
    tokens_of(&tokens[..end.unwrap_or(tokens.len())])
}

pub(crate) fn tokens_of(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
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
    let mut rest = Rest(tokens);
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
