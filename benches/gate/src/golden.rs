//! The recorded listing, in `pair.golden`.

use std::fs;

use similar::TextDiff;

use crate::Mistake;
use crate::figures::RECORD;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pair.golden");

/// Compares the listing with the recorded one, or records it. Returns the failures.
pub(crate) fn check(listing: &str, update: bool) -> Result<Option<Mistake>, Mistake> {
    let mistake = |error| format!("{FILE}: {error}");
    if update {
        fs::write(FILE, listing).map_err(mistake)?;
    }
    let kept = fs::read_to_string(FILE).map_err(mistake)?;
    println!(
        "listing of one pair on its own: {} lines",
        listing.lines().count()
    );
    Ok((kept != listing).then(|| difference(&kept, listing)))
}

fn difference(kept: &str, listing: &str) -> Mistake {
    let difference = TextDiff::from_lines(kept, listing);
    let mut lines = difference.unified_diff();
    let lines = lines.context_radius(3).header("pair.golden", "now");
    format!("the pair has another shape; if it is to stay: {RECORD}\n{lines}")
}
