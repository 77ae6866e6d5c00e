//! Parses the `#[mm(...)]` attributes, without interpreting them.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Lit, LitStr, Path, Result, parenthesized, parse_quote};

use crate::cursor::Attr;
use crate::item::{Data, Item, Variant};
use crate::tokens::at_commas;

/// The known attributes, for the error about an unknown one.
const KNOWN: &str = "known are `name = \"...\"`, `crate = \"...\"`, `instances(...)`, \
    `max_bytes = \"...\"`, `max_units = ...`, `zeroable`";

/// The attributes of one type, as far as they could be read.
#[derive(Default)]
pub(crate) struct Attrs {
    /// `name = "..."`.
    pub(crate) name: Option<LitStr>,
    /// `crate = "..."` or `crate = path`.
    krate: Option<Path>,
    /// `instances(...)`.
    pub(crate) instances: Option<Instances>,
    /// `max_bytes = "..."` or `max_bytes = number`.
    pub(crate) max_bytes: Option<Lit>,
    /// `max_units = number`.
    pub(crate) max_units: Option<Lit>,
    /// `zeroable`.
    zeroable: Option<()>,
    /// Whether all attributes could be read. If not, the path of the `mm` crate may be wrong.
    pub(crate) complete: bool,
}

/// The argument of `instances(...)`.
pub(crate) struct Instances {
    /// Place of the word `instances`, for errors about the whole list.
    pub(crate) span: Span,
    /// The types, not parsed yet.
    pub(crate) types: Vec<Vec<TokenTree>>,
}

impl Attrs {
    /// Reads all attributes of a type. A mistake in one does not hide the others.
    pub(crate) fn parse(item: &Item) -> (Self, Option<Error>) {
        let mut attrs = Self::default();
        let mut mistakes = Mistakes::default();
        for attr in item.attrs.iter().filter(|attr| attr.is("mm")) {
            let read = |meta: ParseNestedMeta<'_>| attrs.parse_one(&meta);
            mistakes.note(attr.read().and_then(|attr| attr.parse_nested_meta(read)));
        }
        attrs.complete = mistakes.0.is_none();
        for attr in misplaced(&item.data) {
            mistakes.add(Error::new_spanned(
                attr,
                "`#[mm(...)]` belongs on the type, not on its fields or variants",
            ));
        }
        (attrs, mistakes.0)
    }

    /// Returns the path of the `mm` crate.
    pub(crate) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| parse_quote!(::mm))
    }

    /// Returns whether the program implements `Zeroable` itself.
    pub(crate) fn zeroable(&self) -> bool {
        self.zeroable.is_some()
    }

    /// Reads one part of `#[mm(a, b, ...)]`.
    fn parse_one(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            set(&mut self.name, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("crate") {
            set(&mut self.krate, meta, |meta| crate_path(meta.value()?))
        } else if meta.path.is_ident("instances") {
            set(&mut self.instances, meta, Instances::parse)
        } else if meta.path.is_ident("max_bytes") {
            set(&mut self.max_bytes, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("max_units") {
            set(&mut self.max_units, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("zeroable") {
            set(&mut self.zeroable, meta, |_| Ok(()))
        } else {
            Err(meta.error(format_args!("unknown attribute of mm; {KNOWN}")))
        }
    }
}

impl Instances {
    /// Reads `(A<B>, C<D>)`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let list;
        parenthesized!(list in meta.input);
        Ok(Self {
            span: meta.path.span(),
            types: at_commas(list.parse::<TokenStream>()?),
        })
    }
}

/// The mistakes found so far. rustc shows them together.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    /// Adds one mistake.
    pub(crate) fn add(&mut self, mistake: Error) {
        match &mut self.0 {
            Some(all) => all.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    /// Adds the mistake of a failed result, and returns the value of a good one.
    pub(crate) fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|mistake| self.add(mistake)).ok()
    }

    /// Returns `value`, or all mistakes if there are any.
    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

/// Reads an attribute's argument into `slot`. Fails if the attribute was given before.
pub(crate) fn set<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T>,
) -> Result<()> {
    if slot.is_some() {
        return Err(meta.error(format_args!(
            "`{}` is given twice",
            meta.path.require_ident()?
        )));
    }
    *slot = Some(parse(meta)?);
    Ok(())
}

/// Reads a path, in quotes or bare. Only the bare form can hold the `$crate` of a macro.
pub(crate) fn crate_path(input: ParseStream<'_>) -> Result<Path> {
    if !input.peek(LitStr) {
        return input.call(Path::parse_mod_style);
    }
    let literal: LitStr = input.parse()?;
    literal
        .parse_with(Path::parse_mod_style)
        .map_err(|_| Error::new_spanned(&literal, "expected the path of the mm crate"))
}

/// Returns the `#[mm(...)]` attributes on variants and fields, where they have no meaning.
fn misplaced(data: &Data) -> Vec<&Attr> {
    let inner: Vec<_> = match data {
        Data::Struct(fields) | Data::Union(fields) => {
            fields.iter().flat_map(|field| &field.attrs).collect()
        }
        Data::Enum(variants) => variants.iter().flat_map(on_variant).collect(),
    };
    inner.into_iter().filter(|attr| attr.is("mm")).collect()
}

/// Returns the attributes of a variant and of its fields.
fn on_variant(variant: &Variant) -> impl Iterator<Item = &Attr> {
    let on_fields = variant.fields.iter().flat_map(|field| &field.attrs);
    variant.attrs.iter().chain(on_fields)
}
