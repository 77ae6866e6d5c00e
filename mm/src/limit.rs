//! How much a family may hold.

/// How much is allowed to be live: a number of units, or of bytes.
///
/// # Examples
///
/// ```
/// use mm::Limit;
///
/// assert_ne!(Limit::bytes(64 << 20), Limit::units(64 << 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Amount);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    Units(u64),
    Bytes(u64),
}

impl Limit {
    /// Allows so many bytes of live units: as many units as fit.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(Amount::Bytes(bytes))
    }

    /// Allows so many live units.
    #[must_use]
    pub const fn units(units: u64) -> Self {
        Self(Amount::Units(units))
    }

    /// The limit in units of `unit` bytes each. What has no size meets no limit of bytes.
    pub(crate) const fn in_units(self, unit: usize) -> u64 {
        match self.0 {
            Amount::Units(units) => units,
            Amount::Bytes(_) if unit == 0 => u64::MAX,
            Amount::Bytes(bytes) => bytes / unit as u64,
        }
    }
}
