//! The attribute `no_leaks`: the annotated function calls `mm::no_leaks` with its body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::meta::{self, ParseNestedMeta};
use syn::parse::Parser;
use syn::{Error, Path, Result, parse_quote};

use crate::cursor::{Attr, Cursor, tokens_of};
use crate::mistakes::compile_errors;
use crate::parse::{crate_path, set};
use crate::tokens::{bare, find, group, is_word, sign};

/// Writes the function with its body wrapped. After a mistake, writes the error and the unchanged function.
pub(crate) fn wrap(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let arguments = match Arguments::read(arguments) {
        Ok(arguments) => arguments,
        Err(mistake) => {
            let mistake = mistake.into_compile_error();
            return quote!(#mistake #item);
        }
    };
    let wrapped = Function::read(item.clone()).map(|function| arguments.wrap(&function));
    wrapped.unwrap_or_else(|mistake| {
        let mistake = compile_errors(&arguments.krate(), &mistake);
        quote!(#mistake #item)
    })
}

/// The arguments of the attribute.
#[derive(Default)]
struct Arguments {
    /// The scope's name in the body.
    scope: Option<Ident>,
    /// Whether untyped memory counts.
    untyped: bool,
    /// `crate = "..."` or `crate = path`.
    krate: Option<Path>,
}

impl Arguments {
    fn read(tokens: TokenStream) -> Result<Self> {
        let mut arguments = Self::default();
        meta::parser(|meta| arguments.read_one(&meta)).parse2(tokens)?;
        Ok(arguments)
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("crate") {
            return set(&mut self.krate, meta, |meta| crate_path(meta.value()?));
        }
        if meta.path.is_ident("untyped") {
            if self.untyped {
                return Err(meta.error("`untyped` is given twice"));
            }
            self.untyped = true;
            return Ok(());
        }
        if self.scope.is_some() {
            return Err(meta.error("the scope has one name"));
        }
        // A keyword is a path, but no name.
        self.scope = Some(syn::parse2(meta.path.to_token_stream())?);
        Ok(())
    }

    /// Path of the `mm` crate.
    fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| parse_quote!(::mm))
    }

    /// Writes the function with a new body, and everything else unchanged.
    fn wrap(&self, function: &Function) -> TokenStream {
        let Function {
            attrs,
            visibility,
            qualifiers,
            name,
            generics,
            parameters,
            output,
            conditions,
            inner_attrs,
            body,
        } = function;
        let mm = self.krate();
        let scope = self
            .scope
            .as_ref()
            .map_or(quote!(_), Ident::to_token_stream);
        let result = result(output);
        let check = if self.untyped {
            quote!(no_leaks_untyped)
        } else {
            quote!(no_leaks)
        };
        quote! {
            #(#attrs)*
            #visibility #qualifiers fn #name #generics #parameters #output #conditions {
                #inner_attrs
                #mm::#check(move |#scope| #result #body)
            }
        }
    }
}

/// Returns the return type for the body's closure. Without it rustc would not coerce the body's value, such
/// as a `Box` of a type to one of a trait, and would report errors far from their cause. A closure's return
/// type cannot contain `impl`; then there is none.
fn result(output: &TokenStream) -> TokenStream {
    if output.is_empty() {
        return quote!(-> ());
    }
    if says_impl(output.clone()) {
        return TokenStream::new();
    }
    output.clone()
}

fn says_impl(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Group(group) => says_impl(group.stream()),
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The parts of a function.
struct Function {
    attrs: Vec<Attr>,
    visibility: TokenStream,
    /// `unsafe`, `extern "C"` and the like.
    qualifiers: TokenStream,
    name: Ident,
    generics: TokenStream,
    parameters: TokenTree,
    /// The return type with its arrow; empty if there is none.
    output: TokenStream,
    /// The conditions with their `where`.
    conditions: TokenStream,
    inner_attrs: TokenStream,
    /// The body with its braces.
    body: Group,
}

impl Function {
    fn read(tokens: TokenStream) -> Result<Self> {
        let mut rest = Cursor(bare(tokens));
        let mut attrs = rest.attrs();
        rest.enter();
        attrs.extend(rest.attrs());
        let visibility = rest.visibility();
        let qualifiers = qualifiers(&mut rest)?;
        let name = rest.word().map_err(|_| no_function())?;
        let generics = tokens_of(&rest.list());
        let (parameters, rest) = rest.0.split_first().ok_or_else(no_function)?;
        let (last, rest) = rest.split_last().ok_or_else(|| no_body(name.span()))?;
        let (inner_attrs, body) = body(last)?;
        let conditions = find(rest, |token| is_word(token, "where")).unwrap_or(rest.len());
        Ok(Self {
            attrs,
            visibility,
            qualifiers,
            name,
            generics,
            parameters: parameters.clone(),
            output: tokens_of(&rest[..conditions]),
            conditions: tokens_of(&rest[conditions..]),
            inner_attrs,
            body,
        })
    }
}

fn no_function() -> Error {
    Error::new(Span::call_site(), "`no_leaks` works only on a function")
}

fn no_body(place: Span) -> Error {
    Error::new(place, "`no_leaks` works only on a function with a body")
}

/// Takes the tokens before the function's name, without `fn`.
fn qualifiers(rest: &mut Cursor) -> Result<TokenStream> {
    let keyword = rest.0.iter().position(|token| is_word(token, "fn"));
    let before = keyword.ok_or_else(no_function)?;
    let is_async = |token: &&TokenTree| is_word(token, "async");
    if let Some(word) = rest.0[..before].iter().find(is_async) {
        return Err(Error::new(
            word.span(),
            "an async function returns a future, and allocates only when that runs; put `no_leaks` \
             below the attribute that makes this a plain function, such as `#[tokio::test]`",
        ));
    }
    let qualifiers = rest.0.drain(..before).collect();
    // `fn` itself.
    rest.0.remove(0);
    Ok(qualifiers)
}

/// Returns the body's inner attributes, which apply to the whole function, and the body without them. The
/// body may come from a macro's variable.
fn body(last: &TokenTree) -> Result<(TokenStream, Group)> {
    let last = bare(last.clone().into());
    let [only] = &*last else {
        return Err(no_function());
    };
    let whole = group(only, Delimiter::Brace).ok_or_else(|| no_body(only.span()))?;
    let statements: Vec<_> = whole.stream().into_iter().collect();
    let (attrs, statements) = statements.split_at(end_of_inner_attrs(&statements));
    let attrs = tokens_of(attrs);
    let mut body = Group::new(Delimiter::Brace, tokens_of(statements));
    // rustc shows errors about the returned value at this span.
    body.set_span(whole.span());
    Ok((attrs, body))
}

/// Returns the number of tokens in attributes such as `#![allow(..)]`.
fn end_of_inner_attrs(statements: &[TokenTree]) -> usize {
    let is_attr = |three: &&[TokenTree]| {
        [&three[0], &three[1]].map(sign) == [Some('#'), Some('!')]
            && group(&three[2], Delimiter::Bracket).is_some()
    };
    3 * statements.chunks_exact(3).take_while(is_attr).count()
}
