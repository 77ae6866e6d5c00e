//! The valid outputs of the derive: families with names, or mistakes with messages.

use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, File, Item, ItemConst, ItemStatic, Lit, LitStr, Macro, Stmt};

/// Requires that the output is items, and either families or mistakes.
pub fn require(output: TokenStream) {
    let text = output.to_string();
    let file: File = syn::parse2(output).unwrap_or_else(|error| panic!("{error} in: {text}"));
    let mistakes = each(&file, mistake);
    let families = each(&file, family);
    assert_ne!(mistakes.is_empty(), families.is_empty(), "{text}");
    let is_named = |name: &String| !name.is_empty();
    assert!(mistakes.iter().chain(&families).all(is_named), "{text}");
}

fn each(file: &File, of_item: fn(&Item) -> Option<String>) -> Vec<String> {
    file.items.iter().filter_map(of_item).collect()
}

/// Returns the message if the item is a `compile_error!`.
fn mistake(item: &Item) -> Option<String> {
    let Item::Macro(call) = item else {
        return None;
    };
    is_last(&call.mac, "compile_error").then(|| message(&call.mac))
}

fn is_last(call: &Macro, name: &str) -> bool {
    let last = call.path.segments.last();
    last.is_some_and(|last| last.ident == name)
}

fn message(call: &Macro) -> String {
    let message: LitStr = call.parse_body().expect("a message");
    message.value()
}

/// Returns the family's name if the item is the block with its statics, or a block with such blocks and
/// aliases.
fn family(item: &Item) -> Option<String> {
    let Item::Const(ItemConst { expr, .. }) = item else {
        return None;
    };
    let Expr::Block(block) = &**expr else {
        return None;
    };
    block.block.stmts.iter().find_map(name)
}

/// Returns the first argument of the call that makes the static of the family.
fn name(statement: &Stmt) -> Option<String> {
    let ItemStatic { ident, expr, .. } = match statement {
        Stmt::Item(Item::Static(item)) => item,
        Stmt::Item(block @ Item::Const(_)) => return family(block),
        _ => return None,
    };
    if ident != "__MM_FAMILY" {
        return None;
    }
    let Expr::Call(call) = without_limits(expr) else {
        panic!("a call makes the family");
    };
    match call.args.first() {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        })) => Some(name.value()),
        _ => panic!("the name comes first"),
    }
}

/// Returns the expression that makes a family, without the calls that limit it.
fn without_limits(expr: &Expr) -> &Expr {
    match expr {
        Expr::MethodCall(call) if call.method == "with_limit" => without_limits(&call.receiver),
        _ => expr,
    }
}
