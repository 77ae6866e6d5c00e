//! Writes errors as `compile_error!`.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{Error, Path};

use crate::tokens::{is_word, sign, word};

/// Writes errors with the `compile_error!` that `mm` re-exports. syn names it through `::core`, but the user
/// may have another crate of that name.
pub(crate) fn compile_errors(mm: &Path, mistakes: &Error) -> TokenStream {
    let tokens: Vec<_> = mistakes.to_compile_error().into_iter().collect();
    let mut output = TokenStream::new();
    let mut rest = &*tokens;
    while let Some((first, behind)) = rest.split_first() {
        match rest {
            [one, two, core, behind @ ..] if leads_to_core(one, two, core) => {
                output.extend(through(mm, core));
                rest = behind;
            }
            _ => {
                output.extend([first.clone()]);
                rest = behind;
            }
        }
    }
    output
}

fn leads_to_core(one: &TokenTree, two: &TokenTree, core: &TokenTree) -> bool {
    sign(one) == Some(':') && sign(two) == Some(':') && is_word(core, "core")
}

/// Returns the path to `core` through `mm`. It has the span of the replaced word, where rustc shows the
/// error.
fn through(mm: &Path, core: &TokenTree) -> TokenStream {
    let span = core.span();
    let path = quote_spanned!(span=> #mm::__private::core);
    let located = |mut token: TokenTree| {
        // The span of `$crate` says which crate it means, so it must stay.
        let is_word_of_macro = word(&token).is_some_and(|word| *word == "$crate");
        if !is_word_of_macro {
            token.set_span(span);
        }
        token
    };
    path.into_iter().map(located).collect()
}
