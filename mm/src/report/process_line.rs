//! The line that divides the process's resident memory.

use core::fmt::{self, Display, Formatter};

use crate::number::{Measured, Scale, Size};
use crate::snapshot::Snapshot;

/// The parts of the process's resident memory.
pub(super) struct ProcessLine {
    process: Option<u128>,
    /// Families of types and of names.
    families: Option<u128>,
    /// Size classes of the global allocator.
    untyped: Option<u128>,
    /// Whether the global allocator is mm's.
    has_untyped: bool,
    records: Option<u128>,
}

impl ProcessLine {
    /// Reads the sums.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let sum = |is_untyped| {
            let of = snapshot
                .families
                .iter()
                .filter(|family| family.untyped == is_untyped);
            of.map(|family| family.resident_bytes.map(u128::from))
                .sum::<Option<u128>>()
        };
        let (families, untyped) = (sum(false), sum(true));
        let records = snapshot.records_resident_bytes.map(u128::from);
        let process = snapshot.process_resident_bytes.map(u128::from);
        let parts = families.unwrap_or(0) + untyped.unwrap_or(0) + records.unwrap_or(0);
        Self {
            // The parts exceed the whole only if the program changed the snapshot's fields.
            process: process.filter(|process| parts <= *process),
            families,
            untyped,
            has_untyped: snapshot.untyped().next().is_some(),
            records,
        }
    }

    /// Returns the parts with their names, and the name of the rest.
    fn parts(
        &self,
    ) -> (
        impl Iterator<Item = (Option<u128>, &'static str)>,
        &'static str,
    ) {
        let families = [(self.families, "families")].into_iter();
        let untyped = self.has_untyped.then_some((self.untyped, "untyped"));
        let parts = families
            .chain(untyped)
            .chain([(self.records, "mm's records")]);
        let rest = if self.has_untyped {
            "elsewhere (C's malloc, stacks, code)"
        } else {
            "elsewhere (String, Vec, ...)"
        };
        (parts, rest)
    }
}

impl Display for ProcessLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (mut parts, rest) = self.parts();
        match self.process {
            Some(process) if parts.all(|(bytes, _)| bytes.is_some()) => {
                self.fmt_equation(f, process, rest)
            }
            _ => self.fmt_list(f, rest),
        }
    }
}

impl ProcessLine {
    /// Writes the known figures. `rest` is the whole less the parts, so it is unknown if one of them is.
    fn fmt_list(&self, f: &mut Formatter<'_>, rest: &str) -> fmt::Result {
        write!(f, "process resident: {}", Measured(self.process))?;
        for (bytes, name) in self.parts().0 {
            write!(f, "; {name}: {}", Measured(bytes))?;
        }
        write!(f, "; {rest}: {}", Measured(None))
    }

    /// Writes an equation that also holds for the rounded figures: it rounds the running sums, and each part is the
    /// difference of two of them.
    fn fmt_equation(&self, f: &mut Formatter<'_>, process: u128, rest: &str) -> fmt::Result {
        let scale = Scale::of(process);
        write!(f, "process resident {} = ", Size(process))?;
        let (mut sum, mut before) = (0, scale.tenths(0));
        for (bytes, name) in self.parts().0 {
            sum += bytes.unwrap_or(0);
            let now = scale.tenths(sum);
            write!(f, "{} {name} + ", now.less(before))?;
            before = now;
        }
        write!(f, "{} {rest}", scale.tenths(process).less(before))
    }
}
