//! The paths that a piece of source names: in imports, in code, and in what macros are given.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, with the line where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// All paths of two or more segments in `tokens`. An import of several names is several paths.
pub(crate) fn paths_in(tokens: TokenStream) -> Vec<Named> {
    let mut found = Vec::new();
    scan(tokens, &mut found);
    found
}

fn scan(tokens: TokenStream, found: &mut Vec<Named>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            // Where an item is visible is no use of the module.
            TokenTree::Group(_) if at > 0 && is_word(&tokens[at - 1], "pub") => {}
            TokenTree::Group(group) => scan(group.stream(), found),
            TokenTree::Ident(first) => {
                let line = first.span().start().line;
                at = path_from(&tokens, at, Vec::new(), line, found);
                continue;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at += 1;
    }
}

/// Reads the path whose next segment is at `at`. Returns where to go on.
fn path_from(
    tokens: &[TokenTree],
    mut at: usize,
    mut segments: Vec<String>,
    line: usize,
    found: &mut Vec<Named>,
) -> usize {
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(segment)) => segments.push(segment.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".into()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                each_of(group.stream(), &segments, line, found);
                return at + 1;
            }
            // A type argument, say: the path so far is one, and what follows is read as usual.
            _ => break,
        }
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    if segments.len() > 1 {
        found.push(Named { segments, line });
    }
    at
}

/// Reads the list of an import: `{self, a, b::c}` behind `before::`.
fn each_of(list: TokenStream, before: &[String], line: usize, found: &mut Vec<Named>) {
    let tokens: Vec<_> = list.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if matches!(&tokens[at], TokenTree::Punct(_)) && !is_star(&tokens[at]) {
            at += 1;
            continue;
        }
        at = path_from(&tokens, at, before.to_vec(), line, found);
        // Up to the comma: `as name`.
        while at < tokens.len() && !matches!(&tokens[at], TokenTree::Punct(_)) {
            at += 1;
        }
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_star(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '*')
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

#[test]
fn every_form_of_a_path_is_found() {
    let source = r"
        use crate::{a::b, c::{self, d as e}, f::*};
        fn g() { $crate::h::i!(super::j::<k::l>()); m.n::<o>(); }
        macro_rules! p { () => { crate::q::r() } }
        pub(in crate::s) fn t() {}
    ";
    let found: Vec<_> = paths_in(source.parse().expect("tokens"))
        .into_iter()
        .map(|named| named.segments.join("::"))
        .collect();
    let expected = [
        "crate::a::b",
        "crate::c::self",
        "crate::c::d",
        "crate::f::*",
        "crate::h::i",
        "super::j",
        "k::l",
        "crate::q::r",
    ];
    assert_eq!(found, expected);
}
