//! Finds the ends of token sequences that the derive passes on without parsing them.
//!
//! The grammar of types, bounds and lengths grows with each release of Rust, and rustc has parsed them
//! before the derive runs. So this module does not depend on that grammar.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// Follows angle brackets, which do not make groups of tokens.
#[derive(Default)]
pub(crate) struct Angles {
    depth: usize,
    /// Whether the last token makes an arrow with the next one, if that is a `>`.
    in_arrow: bool,
}

impl Angles {
    /// Takes the next token of a type, a bound or a pattern, where each `<` opens a list.
    pub(crate) fn pass(&mut self, token: &TokenTree) {
        match sign(token) {
            Some('<') => self.depth += 1,
            Some('>') if !self.in_arrow => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.in_arrow = is_joint(token) && matches!(sign(token), Some('-' | '='));
    }

    /// Returns whether no list is open.
    pub(crate) fn are_closed(&self) -> bool {
        self.depth == 0
    }
}

/// Returns the character if the token is punctuation.
pub(crate) fn sign(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

fn is_joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint)
}

/// Returns whether the token is this word, without `r#`.
pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Returns the group if the token is one with these delimiters.
pub(crate) fn group(token: &TokenTree, delimiter: Delimiter) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// Returns the word if the token is one.
pub(crate) fn word(token: &TokenTree) -> Option<&Ident> {
    match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}

/// Removes groups without delimiters around all tokens. Macros' variables leave such groups.
pub(crate) fn bare(tokens: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    match &*tokens {
        [only] => match group(only, Delimiter::None) {
            Some(group) => bare(group.stream()),
            None => tokens,
        },
        _ => tokens,
    }
}

/// Splits types, bounds or parameters at the commas between them.
pub(crate) fn at_commas(tokens: impl IntoIterator<Item = TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut angles = Angles::default();
    split(tokens, |token| {
        angles.pass(token);
        angles.are_closed()
    })
}

/// Splits at the commas for which `is_between` returns true. It is called for each token in order.
pub(crate) fn split(
    tokens: impl IntoIterator<Item = TokenTree>,
    mut is_between: impl FnMut(&TokenTree) -> bool,
) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        if is_between(&token) && sign(&token) == Some(',') {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    // A trailing comma leaves an empty part.
    parts.pop_if(|last| last.is_empty());
    parts
}

/// Returns the index after the `>` that ends a list. The first token is the `<` of the list.
pub(crate) fn end_of_list(tokens: &[TokenTree]) -> usize {
    let mut angles = Angles::default();
    let mut is_last = |token| {
        angles.pass(token);
        angles.are_closed()
    };
    let last = tokens.iter().position(&mut is_last);
    last.map_or(tokens.len(), |last| last + 1)
}

/// Returns the index of the first token outside of all lists for which `is_it` holds.
pub(crate) fn find(tokens: &[TokenTree], is_it: impl Fn(&TokenTree) -> bool) -> Option<usize> {
    let mut angles = Angles::default();
    tokens.iter().position(|token| {
        angles.pass(token);
        angles.are_closed() && is_it(token)
    })
}

/// Follows an expression, where a `<` may be a comparison.
#[derive(Default)]
pub(crate) struct Operands {
    angles: Angles,
    /// Whether a value precedes the next token, so that a `<` would compare it.
    after_value: bool,
    /// Whether that value is a type, after an `as`.
    after_cast: bool,
    /// Whether the last token makes a `<<` with the next one, if that is a `<`.
    in_shift: bool,
}

impl Operands {
    /// Takes the next token, and returns whether it is outside of all lists.
    pub(crate) fn pass(&mut self, token: &TokenTree) -> bool {
        let is_operator = (self.after_value && !self.after_cast) || self.in_shift;
        let compares = sign(token) == Some('<') && is_operator;
        self.in_shift = compares && !self.in_shift && is_joint(token);
        let is_inside = !self.angles.are_closed();
        if is_inside || !compares {
            self.angles.pass(token);
        }
        let was_closed = is_inside && self.angles.are_closed();
        self.note(token, was_closed);
        self.angles.are_closed()
    }

    fn note(&mut self, token: &TokenTree, was_closed: bool) {
        /// Keywords that a value follows, not an operator.
        const BEFORE_VALUES: [&str; 8] = [
            "if", "match", "while", "in", "return", "break", "else", "let",
        ];
        match token {
            TokenTree::Ident(word) => {
                self.after_cast |= word == "as";
                self.after_value = !BEFORE_VALUES.iter().any(|before| word == before);
            }
            TokenTree::Punct(punct) => {
                self.after_cast &= punct.as_char() == ':';
                self.after_value = was_closed || punct.as_char() == '?';
            }
            TokenTree::Literal(_) | TokenTree::Group(_) => {
                self.after_cast = false;
                self.after_value = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<TokenTree> {
        let tokens: TokenStream = source.parse().expect("tokens");
        tokens.into_iter().collect()
    }

    #[test]
    fn types_end_at_commas() {
        for (source, parts) in [
            ("", 0),
            ("A", 1),
            ("A,", 1),
            ("A, B", 2),
            ("A<B, C>, D", 2),
            ("fn(A, B) -> C, D", 2),
            ("A<fn() -> B, C>, D", 2),
            ("A<dyn Fn(B) -> C<D, E>>, F<G, H>", 2),
            ("<A<B, C> as D<E, F>>::G, H", 2),
            ("[A<{ 1 > 2 }, B>; 3], [C; { 1 < 2 }]", 2),
            ("A: for<'a, 'b> B<'a, C = D<'b>>, E", 2),
        ] {
            assert_eq!(at_commas(tokens(source)).len(), parts, "{source}");
        }
    }

    #[test]
    fn expressions_end_at_commas() {
        for source in [
            "0",
            "-1",
            "f::<A, B>() as isize",
            "<A as B<C, D>>::E",
            "1 + <A as B<C, D>>::E",
            "A::<B, C>::D",
            "if a < b { 1 } else { 2 }",
            "if 1 < 2 { 1 } else { 2 }",
            "a as B<C, D>",
            "a as b::B<C, D>",
            "(a as u8) << 2",
            "1 << 2",
            "1 >> 2",
            "f()? << 1",
            "1 << <A as B<C, D>>::E",
            "1 <<<A as B<C, D>>::E",
            "<<A as B<C, D>>::E as F<G, H>>::I << 2",
            "match a { b if b < c => 1, _ => 2 }",
            "if <A as B<C, D>>::E { 1 } else { 2 }",
            "a::<B>::C << 1",
        ] {
            let mut operands = Operands::default();
            let two = tokens(&format!("{source}, X"));
            let parts = split(two, |token| operands.pass(token));
            assert_eq!(parts.len(), 2, "{source}");
        }
    }

    #[test]
    fn lists_end() {
        for (source, length) in [("<A> B", 3), ("<A<B>> C", 6), ("<A: Fn() -> B> C", 9)] {
            assert_eq!(end_of_list(&tokens(source)), length, "{source}");
        }
    }
}
