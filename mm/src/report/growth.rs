//! The line that describes a family that grows.

use core::fmt::{self, Display, Formatter};

use super::name::Place;
use crate::growth::{Growth, SiteGrowth};
use crate::number::{Grouped, Size, whole};
use crate::profile::CallSite;
use crate::shown::Shown;

/// The most call sites that are shown.
const SITES: usize = 3;

impl Display for Growth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", Shown(self.name))?;
        if self.key.shares_path() {
            write!(f, " ({})", self.key)?;
        } else if self.path != self.name {
            write!(f, " ({})", Shown(self.path))?;
        }
        write!(
            f,
            " has grown steadily for {} s, by {} units/s ({}/s), to {} live units ({})",
            Grouped(self.growing_for.as_secs().into()),
            Rate(self.units_per_second),
            Size(whole(self.bytes_per_second)),
            Grouped(self.live_units.into()),
            Size(self.profile.live_bytes().into()),
        )?;
        sites(f, &self.profile.sites)
    }
}

impl Display for SiteGrowth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.type_name {
            Some(name) => write!(f, "`{}`", Shown(name))?,
            None => f.write_str("untyped memory")?,
        }
        write!(
            f,
            " allocated at {} has grown steadily for {} s, by about {}/s ({} blocks/s), to {} in {} blocks \
             ({} samples)",
            Shown(&self.site),
            Grouped(self.growing_for.as_secs().into()),
            Size(whole(self.bytes_per_second)),
            Rate(self.blocks_per_second),
            Size(whole(self.live_bytes)),
            Grouped(whole(self.live_blocks)),
            Grouped(self.samples.into()),
        )
    }
}

/// Writes the known call sites with the most live units.
fn sites(f: &mut Formatter<'_>, sites: &[CallSite]) -> fmt::Result {
    let holders = || sites.iter().filter(|site| site.live_units > 0);
    if holders().next().is_none() {
        return f.write_str("; no call site is known");
    }
    f.write_str("; allocated")?;
    for (nth, site) in holders().take(SITES).enumerate() {
        let comma = if nth == 0 { "" } else { "," };
        let (place, units) = (Place(site.location), Grouped(site.live_units.into()));
        write!(f, "{comma} at {place} ({units} live units recorded")?;
        if !site.thread.is_empty() {
            write!(f, ", thread `{}`", Shown(site.thread))?;
        }
        f.write_str(")")?;
    }
    match holders().skip(SITES).count() {
        0 => Ok(()),
        more => write!(f, ", and at {} more", Grouped(more as u128)),
    }
}

/// A rate, with two decimals if it is small: `1.00`, `0.10`, `1,204`.
struct Rate(f64);

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 < 10.0 {
            write!(f, "{:.2}", self.0)
        } else {
            write!(f, "{}", Grouped(whole(self.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::growth::samples::session;
    use crate::growth::site_samples;
    use crate::profile::samples::site;

    const START: &str = "`Session` (indexd::session::Session) has grown steadily for 48 s, \
        by 1.00 units/s (209 B/s), to 1,204 live units (244.6 KiB)";

    #[test]
    fn names_the_largest_sites() {
        let sites = vec![
            site(7, "main", 20),
            site(9, "", 2),
            site(1, "", 1),
            site(2, "", 1),
        ];
        let expected = format!(
            "{START}; allocated at src/cache.rs:7 (20 live units recorded, thread `main`), \
             at src/cache.rs:9 (2 live units recorded), at src/cache.rs:1 (1 live units recorded), \
             and at 1 more"
        );
        assert_eq!(session(sites).to_string(), expected);
    }

    #[test]
    fn says_when_no_site_is_known() {
        let expected = format!("{START}; no call site is known");
        assert_eq!(session(Vec::new()).to_string(), expected);
        assert_eq!(session(vec![site(7, "main", 0)]).to_string(), expected);
    }

    #[test]
    fn names_a_call_site_of_untyped_memory() {
        let mut growth = site_samples::cache();
        let expected = "untyped memory allocated at src/cache.rs:51 has grown steadily for 48 s, by about 20.0 KiB/s \
                        (20 blocks/s), to 1.0 MiB in 1,024 blocks (16 samples)";
        assert_eq!(growth.to_string(), expected);
        growth.type_name = Some("Vec<u8>".into());
        let text = growth.to_string();
        assert!(
            text.starts_with("`Vec<u8>` allocated at src/cache.rs:51 has"),
            "{text}"
        );
        growth.site = "a\nb\u{1b}".into();
        assert!(
            growth.to_string().contains("at a\\nb\\u{1b} has"),
            "{growth}"
        );
    }

    #[test]
    fn is_one_line_whatever_the_names_are() {
        let mut growth = session(vec![site(7, "a\nb", 20)]);
        (growth.name, growth.path) = ("x\ny", "x\ny");
        (growth.units_per_second, growth.bytes_per_second) = (1e9, f64::MAX);
        let text = growth.to_string();
        assert!(text.starts_with("`x\\ny` has grown"), "{text}");
        assert!(text.contains("by 1,000,000,000 units/s"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}
