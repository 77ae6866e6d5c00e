//! A type's generic parameters, read and written.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use crate::cursor::{Cursor, without_default};
use crate::tokens::{at_commas, bare, find, group, is_word, sign, word};

/// A type's parameters and conditions.
pub(crate) struct Generics {
    pub(crate) params: Vec<Param>,
    /// The conditions of its `where` clause, with a comma after the last.
    pub(crate) conditions: TokenStream,
    /// The list's own brackets. Their spans make rustc show the type as in the source.
    angles: Option<(TokenTree, TokenTree)>,
}

/// One parameter.
pub(crate) struct Param {
    pub(crate) kind: Kind,
    /// The parameter as an argument.
    pub(crate) name: TokenStream,
    /// The parameter as an implementation declares it: with its bounds, without its default.
    declaration: TokenStream,
}

pub(crate) enum Kind {
    Lifetime,
    Type,
    /// A constant of this type.
    Const(TokenStream),
}

impl Generics {
    /// Reads a list in angle brackets, which may be empty, and adds the conditions.
    pub(crate) fn new(list: &[TokenTree], conditions: &TokenStream) -> Self {
        let (params, angles) = match list {
            [open, inside @ .., close] => {
                (Param::read_all(inside), Some((open.clone(), close.clone())))
            }
            _ => (Vec::new(), None),
        };
        let ends = conditions.clone().into_iter().last();
        let needs_comma = ends.is_some_and(|last| sign(&last) != Some(','));
        let comma = needs_comma.then(|| quote!(,));
        Self {
            params,
            conditions: quote!(#conditions #comma),
            angles,
        }
    }

    /// Returns three parts of an implementation: the parameters after `impl`, the arguments after the type's
    /// name, and the `where` clause.
    pub(crate) fn split_for_impl(&self) -> (TokenStream, TokenStream, TokenStream) {
        let Self {
            params, conditions, ..
        } = self;
        let declarations = params.iter().map(|param| &param.declaration);
        let names = params.iter().map(|param| &param.name);
        let parameters = self.in_angles(&quote!(#(#declarations),*));
        let arguments = self.in_angles(&quote!(#(#names),*));
        let conditions = (!conditions.is_empty()).then(|| quote!(where #conditions));
        (parameters, arguments, conditions.into_token_stream())
    }

    fn in_angles(&self, list: &TokenStream) -> TokenStream {
        match &self.angles {
            Some((open, close)) if !list.is_empty() => quote!(#open #list #close),
            _ => TokenStream::new(),
        }
    }

    /// Returns the number of lifetimes among the parameters.
    pub(crate) fn lifetimes(&self) -> usize {
        let is_lifetime = |param: &&Param| matches!(param.kind, Kind::Lifetime);
        self.params.iter().filter(is_lifetime).count()
    }
}

impl Param {
    /// Reads the tokens between the angle brackets.
    fn read_all(list: &[TokenTree]) -> Vec<Self> {
        let params = at_commas(list.iter().cloned()).into_iter();
        params.filter_map(Self::read).collect()
    }

    fn read(tokens: Vec<TokenTree>) -> Option<Self> {
        let declaration = without_default(&tokens);
        let mut rest = Cursor(tokens);
        rest.attrs();
        let Cursor(tokens) = rest;
        let tokens = entered(&tokens);
        match &*tokens {
            [apostrophe, name, ..] if sign(apostrophe) == Some('\'') => Some(Self {
                kind: Kind::Lifetime,
                name: quote!(#apostrophe #name),
                declaration,
            }),
            [first, name, rest @ ..] if is_word(first, "const") => Some(Self {
                kind: Kind::Const(const_type(rest)),
                name: name.into_token_stream(),
                declaration,
            }),
            [name, ..] => Some(Self {
                kind: Kind::Type,
                name: word(name).map(Ident::to_token_stream)?,
                declaration,
            }),
            [] => None,
        }
    }
}

/// Replaces the first token by its contents if it is a group from a macro's variable.
fn entered(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let first = tokens
        .first()
        .map(|first| match group(first, Delimiter::None) {
            Some(_) => bare(first.clone().into()),
            None => vec![first.clone()],
        });
    let rest = tokens.iter().skip(1).cloned();
    first.into_iter().flatten().chain(rest).collect()
}

/// Returns the tokens between `:` and `=`.
fn const_type(tokens: &[TokenTree]) -> TokenStream {
    let colon = find(tokens, |token| sign(token) == Some(':'));
    colon.map_or_else(TokenStream::new, |colon| {
        without_default(&tokens[colon + 1..])
    })
}
