//! Numbers as a person reads them.

use core::fmt::{self, Display, Formatter};

/// Tenths of a percent in a whole.
const WHOLE: u128 = 1_000;

/// Names of the powers of 1,024 bytes.
const SCALES: [&str; 8] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"];

/// Rounds to a whole number. Negative numbers become zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast to an integer stops at its ends"
)]
pub(crate) fn whole(number: f64) -> u128 {
    number.round() as u128
}

/// A number in groups of three digits: `1,204,331`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouped(pub(crate) u128);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 < 1_000 {
            return write!(f, "{}", self.0);
        }
        write!(f, "{},{:03}", Self(self.0 / 1_000), self.0 % 1_000)
    }
}

/// A number of things, with their name in the right form: `1 unit`, `2 units`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) u128, pub(crate) &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// A change with its sign: `+1,204`, `-7`, `0`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed(pub(crate) i64);

impl Display for Signed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = match self.0 {
            0 => "",
            1.. => "+",
            _ => "-",
        };
        write!(f, "{sign}{}", Grouped(self.0.unsigned_abs().into()))
    }
}

/// A number with one decimal, given in tenths: `99.8`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenths(pub(crate) u128);

impl Tenths {
    /// Returns the number minus a smaller one.
    pub(crate) fn less(self, smaller: Self) -> Self {
        Self(self.0.saturating_sub(smaller.0))
    }
}

impl Display for Tenths {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Grouped(self.0 / 10), self.0 % 10)
    }
}

/// A number of bytes with a binary unit: `238.9 MiB`, `512 B`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub(crate) u128);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match Scale::of(self.0) {
            Scale(0) => write!(f, "{} B", Grouped(self.0)),
            scale => write!(f, "{} {scale}", scale.tenths(self.0)),
        }
    }
}

/// A number of bytes that only the system knows: an unknown number is not shown as `0 B`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured(pub(crate) Option<u128>);

impl Display for Measured {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}", Size(bytes)),
            None => f.write_str("not measured"),
        }
    }
}

/// A binary unit, as a power of 1,024 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale(usize);

impl Scale {
    /// Returns the unit in which a size, once rounded, is below 1,024.
    pub(crate) fn of(bytes: u128) -> Self {
        let last = SCALES.len() - 1;
        let fits = |power: &usize| Self(*power).tenths(bytes).0 < 10_240;
        Self((0..last).find(fits).unwrap_or(last))
    }

    /// Returns a size in this unit, rounded to the nearest tenth.
    pub(crate) fn tenths(self, bytes: u128) -> Tenths {
        let one = 1 << (10 * self.0);
        Tenths(rounded(bytes.saturating_mul(10), one))
    }
}

impl Display for Scale {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(SCALES[self.0])
    }
}

/// Returns `part` of `whole` in tenths of a percent; 0 of 0 is 0.
pub(crate) fn percent(part: u128, whole: u128) -> Tenths {
    if whole == 0 {
        return Tenths(0);
    }
    Tenths(rounded(part.saturating_mul(WHOLE), whole))
}

/// Divides a whole into two parts and the rest, in tenths of a percent that add up to 100.0.
///
/// It rounds the running sums, and each part is the difference of two of them. So a part that is 0 is shown as
/// 0.0, and the three add up. All are 0 if the whole is 0.
pub(crate) fn percents(first: u128, second: u128, whole: u128) -> [Tenths; 3] {
    let end_of_first = percent(first, whole);
    let end_of_second = percent(first + second, whole);
    let end = percent(whole, whole);
    [
        end_of_first,
        end_of_second.less(end_of_first),
        end.less(end_of_second),
    ]
}

/// Divides to the nearest, halves up.
fn rounded(dividend: u128, divisor: u128) -> u128 {
    dividend.saturating_add(divisor / 2) / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: impl Display, text: &str) {
        assert_eq!(value.to_string(), text);
    }

    #[test]
    fn groups() {
        check(Grouped(0), "0");
        check(Grouped(999), "999");
        check(Grouped(1_000), "1,000");
        check(Grouped(1_204_331), "1,204,331");
        check(Grouped(u64::MAX.into()), "18,446,744,073,709,551,615");
    }

    #[test]
    fn signs() {
        check(Signed(0), "0");
        check(Signed(1_204), "+1,204");
        check(Signed(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn sizes() {
        check(Size(0), "0 B");
        check(Size(1_023), "1,023 B");
        check(Size(1_024), "1.0 KiB");
        check(Size(250_500_848), "238.9 MiB");
        check(Size((1 << 20) - 1), "1.0 MiB");
        check(Size(u64::MAX.into()), "16.0 EiB");
        check(Size(u128::from(u64::MAX) * 10_000), "156.2 ZiB");
    }

    #[test]
    fn percents_make_a_hundred() {
        let shown = |first, second, whole| percents(first, second, whole).map(|t| t.0);
        assert_eq!(shown(1, 1, 3), [333, 334, 333]);
        assert_eq!(shown(3, 0, 3), [1_000, 0, 0]);
        assert_eq!(shown(0, 0, 0), [0, 0, 0]);
        assert_eq!(percent(u64::MAX.into(), 1).0, u128::from(u64::MAX) * 1_000);
    }
}
