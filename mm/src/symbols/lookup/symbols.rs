//! Functions by the symbols of a file.

use object::{Object, ObjectSymbol, SymbolKind};

use super::function::Function;
use super::image::Elf;

/// The functions of a file.
pub(super) struct Symbols<'f> {
    /// Sorted by address.
    functions: Vec<Symbol<'f>>,
    own_crate: Option<&'f str>,
}

/// Which functions have the same code. Compilers and linkers keep functions that compile to the same code once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// One function.
    None,
    /// One function for several types.
    Instances,
    /// Several functions.
    Functions,
}

struct Symbol<'f> {
    start: u64,
    end: u64,
    name: &'f str,
}

impl<'f> Symbols<'f> {
    /// Reads the symbols.
    pub(super) fn of(elf: &Elf<'f>) -> Self {
        let functions = elf
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text);
        let functions = functions.filter_map(|symbol| {
            let (start, name) = (symbol.address(), symbol.name().ok()?);
            let end = start.checked_add(symbol.size())?;
            Some(Symbol { start, end, name })
        });
        let mut functions: Vec<_> = functions.filter(|one| one.start < one.end).collect();
        functions.sort_unstable_by_key(|symbol| symbol.start);
        let mut mains = functions
            .iter()
            .filter_map(|symbol| crate_of_main(symbol.name));
        let own_crate = mains
            .next()
            .filter(|first| mains.all(|other| other == *first));
        Self {
            functions,
            own_crate,
        }
    }

    /// Returns the crate that has the function `main`, if one has.
    pub(super) fn own_crate(&self) -> Option<&'f str> {
        self.own_crate
    }

    /// Returns the function that the instruction at `address` is in.
    pub(super) fn function_at(&self, address: u64) -> Option<Function> {
        self.at(address).first()?.function()
    }

    /// Returns which functions have the code at `address`.
    pub(super) fn sharing_at(&self, address: u64) -> Sharing {
        let all = self.at(address);
        let [first, others @ ..] = all else {
            return Sharing::None;
        };
        if others.is_empty() {
            return Sharing::None;
        }
        let place = |symbol: &Symbol<'_>| {
            let function = symbol.function()?;
            Some((function.module, function.name))
        };
        let first = place(first);
        let is_one = first.is_some() && others.iter().all(|other| place(other) == first);
        if is_one {
            Sharing::Instances
        } else {
            Sharing::Functions
        }
    }

    /// Returns all symbols of the code at `address`.
    fn at(&self, address: u64) -> &[Symbol<'f>] {
        let next = self
            .functions
            .partition_point(|symbol| symbol.start <= address);
        let (before, _) = self.functions.split_at(next);
        let Some(last) = before.last().filter(|last| address < last.end) else {
            return &[];
        };
        let first = before.partition_point(|symbol| symbol.start < last.start);
        &before[first..]
    }
}

impl Symbol<'_> {
    fn function(&self) -> Option<Function> {
        let demangled = rustc_demangle::try_demangle(self.name).ok()?;
        // The legacy mangling writes the names of parameters, not what they are.
        let has_arguments = !self.name.starts_with("_ZN");
        Some(Function::from_symbol(
            &format!("{demangled:#}"),
            has_arguments,
        ))
    }
}

/// Returns the crate of a symbol of a function `main` in the root of a crate: `_ZN3app4main17h..E`, `_RNvCs.._3app4main`.
fn crate_of_main(symbol: &str) -> Option<&str> {
    let rest = match symbol.strip_prefix("_RNvC") {
        Some(rest) if rest.starts_with('s') => rest.split_once('_')?.1,
        Some(rest) => rest,
        None => symbol.strip_prefix("_ZN")?,
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let length = rest[..digits].parse::<usize>().ok()?;
    let name = rest.get(digits..digits + length)?;
    let after = &rest[digits + length..];
    (after == "4main" || after.starts_with("4main17h")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::crate_of_main;

    #[test]
    fn the_crate_of_main_is_known_by_its_symbol() {
        let name = crate_of_main;
        assert_eq!(
            name("_ZN7service4main17h0123456789abcdefE"),
            Some("service")
        );
        assert_eq!(name("_RNvCscAEuU5ehQ2G_6my_app4main"), Some("my_app"));
        assert_eq!(name("_ZN3app3one4main17h0123456789abcdefE"), None);
        assert_eq!(name("_RNvCscAEuU5ehQ2G_3app5start"), None);
        assert_eq!(
            ["main", "_ZN", "_ZN99a4main", "_RNvC", "_RNvCs"].map(name),
            [None; 5]
        );
    }
}
