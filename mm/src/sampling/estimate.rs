//! What a sampled block stands for.
//!
//! Points lie in the bytes that a program allocates, at random, one in `interval` bytes on average. A block of
//! `size` bytes is sampled if a point lies in it: with the probability `p = 1 - exp(-size / interval)`. It then
//! stands for `1 / p` blocks, so that sums over samples have the right mean, whatever the sizes. They have the
//! variance of the sum of `(1 - p) / p^2`, times the square of the size where bytes are summed up.
//!
//! Source: Horvitz, Thompson, "A generalization of sampling without replacement from a finite universe", 1952.

/// The interval with which every block is sampled, and stands for itself alone.
pub(crate) const EXACT: u32 = 1;

/// Bits behind the point in a number of blocks.
const FRACTION: u32 = 20;

/// Bits behind the point in a variance of blocks.
const VARIANCE_FRACTION: u32 = 8;

/// What some sampled blocks stand for, in whole numbers: what a sample adds, its release takes away exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Blocks, times 2^20.
    pub(super) blocks: u64,
    pub(super) bytes: u64,
    /// The variance of the number of blocks, times 2^8.
    pub(super) blocks_variance: u64,
    /// The variance of the number of bytes.
    pub(super) bytes_variance: u64,
}

impl Weight {
    /// Returns what a block of `size` bytes stands for that was sampled at `interval` when it had `drawn` bytes.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "positive, and rounded to whole numbers on purpose"
    )]
    pub(crate) fn of(size: usize, drawn: u32, interval: u32) -> Self {
        if interval == EXACT {
            return Self {
                blocks: 1 << FRACTION,
                bytes: size as u64,
                ..Self::default()
            };
        }
        let size = size as f64;
        let p = -(-f64::from(drawn) / f64::from(interval)).exp_m1();
        // Rounded up below: with a variance of zero, a block that is nearly always sampled would seem to be certain.
        let variance = (1.0 - p) / (p * p);
        Self {
            blocks: (f64::from(1 << FRACTION) / p).round() as u64,
            bytes: (size / p).round() as u64,
            blocks_variance: (f64::from(1 << VARIANCE_FRACTION) * variance).ceil() as u64,
            bytes_variance: (variance * size * size).ceil() as u64,
        }
    }

    /// Returns the estimate of the number of blocks.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(crate) fn blocks(&self) -> Estimate {
        let blocks = self.blocks as f64 / f64::from(1 << FRACTION);
        let variance = self.blocks_variance as f64 / f64::from(1 << VARIANCE_FRACTION);
        Estimate::new(blocks, variance)
    }

    /// Returns the estimate of the number of bytes.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(crate) fn bytes(&self) -> Estimate {
        Estimate::new(self.bytes as f64, self.bytes_variance as f64)
    }
}

/// A number of blocks or bytes that was estimated from samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    value: f64,
    variance: f64,
}

impl Estimate {
    pub(crate) const fn new(value: f64, variance: f64) -> Self {
        Self { value, variance }
    }

    /// Returns the estimate. Its mean over many runs is the true number.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// Returns the estimate of its variance, the square of its standard error. It is 0 if every block was counted.
    #[must_use]
    pub const fn variance(&self) -> f64 {
        self.variance
    }

    /// Returns the bounds between which the true number lies in 95 of 100 cases.
    ///
    /// They are the numbers from which the estimate is two standard errors away, the standard error being that
    /// for the bound and not for the estimate. So they hold for few samples, too. Source: Wilson, "Probable
    /// inference, the law of succession, and statistical inference", 1927, here for a Poisson distribution.
    ///
    /// # Examples
    ///
    /// ```
    /// let (low, high) = mm::Estimate::default().interval();
    /// assert_eq!((low, high), (0.0, 0.0));
    /// ```
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        if self.value <= 0.0 {
            return (0.0, 0.0);
        }
        // What one sample stands for, as far as it is not certain.
        let step = self.variance / self.value;
        let middle = self.value + 2.0 * step;
        let half = 2.0 * (self.variance + step * step).sqrt();
        ((middle - half).max(0.0), middle + half)
    }
}

/// An object with `value`, `variance`, and the bounds of the interval, `low` and `high`.
#[cfg(feature = "serde")]
impl serde::Serialize for Estimate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let (low, high) = self.interval();
        let mut fields = serializer.serialize_struct("Estimate", 4)?;
        fields.serialize_field("value", &self.value)?;
        fields.serialize_field("variance", &self.variance)?;
        fields.serialize_field("low", &low)?;
        fields.serialize_field("high", &high)?;
        fields.end()
    }
}

impl core::ops::AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.variance += other.variance;
    }
}

impl core::iter::Sum for Estimate {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut sum = Self::default();
        all.for_each(|one| sum += one);
        sum
    }
}
