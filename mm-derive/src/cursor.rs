//! A cursor over tokens, which takes attributes, visibilities, words and lists from their start.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Result, Visibility};

use crate::tokens::{bare, end_of_list, find, group, is_word, sign, word};

/// An attribute. Its argument is read only on demand: those of other macros may have any form.
pub(crate) struct Attr {
    hash: TokenTree,
    brackets: Group,
}

impl Attr {
    /// Returns whether its path is this one word.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.path_is_one_of(&[name])
    }

    /// Returns whether its path is one of these words.
    pub(crate) fn path_is_one_of(&self, names: &[&str]) -> bool {
        // A macro's `$a:meta` leaves a group without delimiters.
        let inside = bare(self.brackets.stream());
        let is_longer = inside.get(1).and_then(sign) == Some(':');
        let is_one = |first| names.iter().any(|name| is_word(first, name));
        !is_longer && inside.first().is_some_and(is_one)
    }

    /// Parses the attribute. Fails if its argument has a form that only rustc knows.
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

/// The tokens that are still to be read.
pub(crate) struct Cursor(pub(crate) Vec<TokenTree>);

impl Cursor {
    /// Takes all attributes at the start.
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

    /// Takes `pub`, `pub(crate)` and the like, also from a macro's variable.
    pub(crate) fn visibility(&mut self) -> TokenStream {
        // In a tuple, a type in parentheses may follow `pub`. syn tells it from `pub(..)`.
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

    /// Replaces the next token by its contents if it is a group from a macro's variable.
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

    /// Takes a list in angle brackets, or nothing if there is none.
    pub(crate) fn list(&mut self) -> Vec<TokenTree> {
        match self.0.first().and_then(sign) {
            Some('<') => self.0.drain(..end_of_list(&self.0)).collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns the tokens before `=`.
pub(crate) fn without_default(tokens: &[TokenTree]) -> TokenStream {
    let end = find(tokens, |token| sign(token) == Some('='));
    tokens_of(&tokens[..end.unwrap_or(tokens.len())])
}

pub(crate) fn tokens_of(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
