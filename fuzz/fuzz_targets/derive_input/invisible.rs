//! Groups without delimiters, as `macro_rules!` makes them from a `$t:ty`. Text cannot contain them, so the
//! grammar writes `[invisible ...]`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The word that marks a group.
pub const MARK: &str = "invisible";

/// Removes the delimiters and the mark of all marked groups.
pub fn groups(tokens: TokenStream) -> TokenStream {
    tokens.into_iter().map(token).collect()
}

fn token(token: TokenTree) -> TokenTree {
    let TokenTree::Group(group) = token else {
        return token;
    };
    let mut inside = group.stream().into_iter().peekable();
    let marked = inside.next_if(is_mark).is_some();
    let delimiter = if marked {
        Delimiter::None
    } else {
        group.delimiter()
    };
    Group::new(delimiter, groups(inside.collect())).into()
}

fn is_mark(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == MARK)
}
