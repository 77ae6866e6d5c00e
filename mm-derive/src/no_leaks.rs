//! The attribute `no_leaks`: the function that it stands on calls `mm::no_leaks` with its body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::meta::{self, ParseNestedMeta};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Generics, Path, Result, ReturnType, Token, Visibility, parse_quote};

use crate::parse::{crate_path, set};

/// Writes the function with its body wrapped; beside a mistake, as it was.
pub(crate) fn wrap(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let wrapped = Arguments::read(arguments)
        .and_then(|arguments| Ok(arguments.wrap(&syn::parse2(item.clone())?)));
    wrapped.unwrap_or_else(|mistake| {
        let mistake = mistake.into_compile_error();
        quote!(#mistake #item)
    })
}

/// What stands in the attribute's parentheses.
#[derive(Default)]
struct Arguments {
    /// What the body calls the scope.
    scope: Option<Ident>,
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
        if self.scope.is_some() {
            return Err(meta.error("the scope has one name"));
        }
        // Not every word is a name.
        self.scope = Some(syn::parse2(meta.path.to_token_stream())?);
        Ok(())
    }

    /// Writes the function, which keeps all but its body.
    fn wrap(&self, function: &Function) -> TokenStream {
        let Function {
            attrs,
            visibility,
            qualifiers,
            name,
            generics,
            parameters,
            output,
            inner_attrs,
            body,
        } = function;
        let conditions = &generics.where_clause;
        let mm = self.krate.clone().unwrap_or_else(|| parse_quote!(::mm));
        let scope = self
            .scope
            .as_ref()
            .map_or(quote!(_), Ident::to_token_stream);
        let result = result(output);
        quote! {
            #(#attrs)*
            #visibility #qualifiers fn #name #generics #parameters #output #conditions {
                #(#inner_attrs)*
                #mm::no_leaks(move |#scope| #result #body)
            }
        }
    }
}

/// What the body's closure returns. Without it nothing in the body would be coerced to it, as a
/// `Box` of a type is to one of a trait, and mistakes would be found far from where they are. But no
/// closure can say `impl`.
fn result(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(-> ()),
        ReturnType::Type(_, ty) if says_impl(ty.to_token_stream()) => TokenStream::new(),
        ReturnType::Type(..) => output.to_token_stream(),
    }
}

fn says_impl(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Group(group) => says_impl(group.stream()),
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// A function, as far as it must be known.
struct Function {
    attrs: Vec<Attribute>,
    visibility: Visibility,
    /// `unsafe`, `extern "C"` and the like.
    qualifiers: TokenStream,
    name: Ident,
    generics: Generics,
    parameters: Group,
    output: ReturnType,
    inner_attrs: Vec<Attribute>,
    /// In its braces.
    body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let qualifiers = input.call(qualifiers)?;
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        let mut generics: Generics = input.parse()?;
        let parameters = input.parse()?;
        let output = input.parse()?;
        generics.where_clause = input.parse()?;
        let (inner_attrs, body) = input.call(body)?;
        Ok(Self {
            attrs,
            visibility,
            qualifiers,
            name,
            generics,
            parameters,
            output,
            inner_attrs,
            body,
        })
    }
}

/// Reads what stands before `fn`.
fn qualifiers(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut qualifiers = TokenStream::new();
    while !input.peek(Token![fn]) {
        if input.peek(Token![async]) {
            return Err(input.error(
                "an async function makes a future, and what it allocates is allocated later; \
                 put `no_leaks` below what makes this a plain function, such as `#[tokio::test]`",
            ));
        }
        let other: Result<TokenTree> = input.parse();
        let no_function = |_| Error::new(Span::call_site(), "`no_leaks` stands on a function");
        qualifiers.extend([other.map_err(no_function)?]);
    }
    Ok(qualifiers)
}

/// Reads the body. The attributes that stand in it are the whole function's.
fn body(input: ParseStream<'_>) -> Result<(Vec<Attribute>, Group)> {
    let no_body = |span| Error::new(span, "`no_leaks` stands on a function with a body");
    let whole: Group = input
        .parse()
        .map_err(|other: Error| no_body(other.span()))?;
    if whole.delimiter() != Delimiter::Brace {
        return Err(no_body(whole.span()));
    }
    let parts = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_inner)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (attrs, rest) = parts.parse2(whole.stream())?;
    let mut body = Group::new(Delimiter::Brace, rest);
    // For errors about what the body returns.
    body.set_span(whole.span());
    Ok((attrs, body))
}
