//! Reads the limits of a family: `max_bytes` and `max_units`.

use syn::{Error, Lit, LitInt, LitStr, Result};

/// Units of size, each with the logarithm to base 2 of its bytes.
const UNITS: [(&str, u32); 5] = [("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

/// Reads the value of `max_bytes`.
pub(crate) fn bytes(value: &Lit) -> Result<u64> {
    let bytes = match value {
        Lit::Int(number) => whole(number),
        Lit::Str(text) => size(text),
        _ => Err(Error::new_spanned(
            value,
            "expected a whole number of bytes, or a size such as \"64 MiB\"",
        )),
    };
    positive(bytes?, value)
}

/// Reads the value of `max_units`.
pub(crate) fn units(value: &Lit) -> Result<u64> {
    let Lit::Int(number) = value else {
        return Err(Error::new_spanned(
            value,
            "expected a whole number of units, such as 1_000",
        ));
    };
    positive(whole(number)?, value)
}

fn positive(amount: u64, value: &Lit) -> Result<u64> {
    if amount == 0 {
        let why = "a limit of 0 would forbid all allocations";
        return Err(Error::new_spanned(value, why));
    }
    Ok(amount)
}

fn whole(number: &LitInt) -> Result<u64> {
    if number.base10_digits().starts_with('-') {
        return Err(Error::new_spanned(number, "a limit cannot be negative"));
    }
    if !number.suffix().is_empty() {
        let why = "expected a number without a suffix";
        return Err(Error::new_spanned(number, why));
    }
    let digits = number.base10_digits().parse();
    digits.map_err(|_| Error::new_spanned(number, "a limit is below 2^64"))
}

/// Reads a number and a unit, with or without one space between them.
fn size(text: &LitStr) -> Result<u64> {
    let wrong = |why: &str| Error::new_spanned(text, why);
    let size = text.value();
    if size.starts_with('-') {
        return Err(wrong("a limit cannot be negative"));
    }
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '_';
    let rest = size.trim_start_matches(is_digit);
    let digits = size[..size.len() - rest.len()].replace('_', "");
    if digits.is_empty() || rest.starts_with('.') {
        return Err(wrong(
            "expected a whole number and a unit, as in \"64 MiB\"",
        ));
    }
    let unit = rest.strip_prefix(' ').unwrap_or(rest);
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, shift) = known.ok_or_else(|| wrong(&no_unit(unit)))?;
    let number: Option<u64> = digits.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| wrong("a limit is below 2^64 bytes"))
}

fn no_unit(unit: &str) -> String {
    let names = UNITS.map(|(name, _)| name).join(", ");
    if unit.is_empty() {
        return format!("a size in quotes needs its unit, one of {names}");
    }
    format!("`{unit}` is no unit of size; the units are {names}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_str;

    fn read(read: fn(&Lit) -> Result<u64>, source: &str) -> std::result::Result<u64, String> {
        let value = parse_str(source).expect("a literal");
        read(&value).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn sizes_are_read() {
        for (source, expected) in [
            ("4096", 4_096),
            ("0x1_0000", 65_536),
            ("18_446_744_073_709_551_615", u64::MAX),
            ("\"1 B\"", 1),
            ("\"3B\"", 3),
            ("\"7 KiB\"", 7 << 10),
            ("\"64 MiB\"", 64 << 20),
            ("\"64MiB\"", 64 << 20),
            ("\"1_000 GiB\"", 1_000 << 30),
            ("\"16777215 TiB\"", 16_777_215 << 40),
        ] {
            assert_eq!(read(bytes, source), Ok(expected), "{source}");
        }
        assert_eq!(read(units, "1_000"), Ok(1_000));
    }

    #[test]
    fn bad_sizes_are_refused() {
        for (source, word) in [
            ("0", "0"),
            ("\"0 MiB\"", "0"),
            ("-1", "negative"),
            ("\"-1 MiB\"", "negative"),
            ("18446744073709551616", "2^64"),
            ("\"16777216 TiB\"", "2^64"),
            ("\"99999999999999999999 B\"", "2^64"),
            ("\"\"", "whole"),
            ("\"MiB\"", "whole"),
            ("\"1.5 GiB\"", "whole"),
            ("1.5", "whole"),
            ("true", "whole"),
            ("64u8", "suffix"),
            ("\"64\"", "needs its unit"),
            ("\"64 \"", "needs its unit"),
            ("\"64 MB\"", "`MB` is no unit"),
            ("\"64  MiB\"", "` MiB` is no unit"),
            ("\"64 MiB \"", "`MiB ` is no unit"),
        ] {
            let refused = read(bytes, source).expect_err(source);
            assert!(refused.contains(word), "{source}: {refused}");
        }
        for source in ["0", "-1", "1.0", "\"7\"", "7usize"] {
            assert!(read(units, source).is_err(), "{source}");
        }
    }
}
