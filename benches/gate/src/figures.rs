//! The recorded figures, in `figures.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::Mistake;
use crate::measure::Count;
use crate::toolchain::Toolchain;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/figures.toml");

/// The command that records again.
pub(crate) const RECORD: &str = "MM_UPDATE_GOLDEN=1 cargo run -p mm-gate";

/// The recorded figures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    toolchain: Toolchain,
    instructions: BTreeMap<String, u64>,
}

impl Figures {
    /// Makes the record of a measurement.
    pub(crate) fn of(toolchain: Toolchain, counts: &[Count]) -> Self {
        let one = |count: &Count| (count.name.to_owned(), count.instructions);
        Self {
            toolchain,
            instructions: counts.iter().map(one).collect(),
        }
    }

    /// Reads the file.
    pub(crate) fn kept() -> Result<Self, Mistake> {
        let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
        Self::read(&text).map_err(|why| format!("{FILE}: {why}; record it again: {RECORD}"))
    }

    /// Writes the file.
    pub(crate) fn keep(&self) -> Result<(), Mistake> {
        fs::write(FILE, self.written()).map_err(|error| format!("{FILE}: {error}"))
    }

    /// Returns the recorded count of this name.
    pub(crate) fn instructions(&self, name: &str) -> Option<u64> {
        self.instructions.get(name).copied()
    }

    /// Fails if the compiler differs from the recorded one: the counts of different compilers are not
    /// comparable.
    pub(crate) fn check_toolchain(&self, current: &Toolchain) -> Result<(), Mistake> {
        if self.toolchain == *current {
            return Ok(());
        }
        let name = |of: &Toolchain| format!("rustc {} for {}", of.rustc, of.host);
        Err(format!(
            "the figures are of {}, and this is {}. Look at the difference and record them again \
             in a commit of its own: {RECORD}",
            name(&self.toolchain),
            name(current),
        ))
    }

    fn read(text: &str) -> Result<Self, Mistake> {
        let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
        let string = |key: &str| {
            let value = table.get(key).and_then(toml::Value::as_str);
            value.map(str::to_owned).ok_or(format!("no `{key}`"))
        };
        let instructions = table.get("instructions").and_then(toml::Value::as_table);
        let instructions = instructions.ok_or("no `instructions`")?;
        Ok(Self {
            toolchain: Toolchain {
                rustc: string("rustc")?,
                host: string("host")?,
            },
            instructions: instructions.iter().map(whole).collect::<Result<_, _>>()?,
        })
    }

    fn written(&self) -> String {
        let Toolchain { rustc, host } = &self.toolchain;
        let mut text = format!(
            "# Instructions that callgrind counts in `counts/src/main.rs`, for all times together. Written by\n\
             # {RECORD}\n\
             rustc = \"{rustc}\"\n\
             host = \"{host}\"\n\n\
             [instructions]\n"
        );
        for (name, count) in &self.instructions {
            writeln!(text, "{name} = {count}").expect("a string takes any text");
        }
        text
    }
}

fn whole((name, value): (&String, &toml::Value)) -> Result<(String, u64), Mistake> {
    let count = value.as_integer().and_then(|count| count.try_into().ok());
    let count = count.ok_or_else(|| format!("`{name}` is no count"))?;
    Ok((name.clone(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(rustc: &str) -> Toolchain {
        let (rustc, host) = (rustc.to_owned(), "x86_64".to_owned());
        Toolchain { rustc, host }
    }

    fn figures() -> Figures {
        Figures {
            toolchain: toolchain("1.95.0"),
            instructions: [("pair".to_owned(), 24_000)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Figures::read(&figures().written()), Ok(figures()));
    }

    #[test]
    fn another_compiler_is_not_compared() {
        assert!(figures().check_toolchain(&toolchain("1.95.0")).is_ok());
        let refused = figures().check_toolchain(&toolchain("1.96.0")).unwrap_err();
        assert!(refused.contains("rustc 1.95.0 for x86_64, and this is rustc 1.96.0"));
    }
}
