//! The tags of extents and of large blocks. An extent gets tags when its first block is recorded. The address
//! of a block leads to its tag.

use core::ptr::NonNull;

use super::blocks::TakenBlock;
use super::extent::Extent;
use super::page::Spot;
use super::record::{Record, SPACE};
use super::slack::Slack;
use crate::heap::ground::meta;
use crate::heap::tracking::{Tag, Tagged, Tags};
use crate::os::Refused;

/// The tag of the block that starts at `first`, if there is one.
pub(in crate::heap) fn tag_at(first: NonNull<u8>) -> Option<&'static Tag> {
    SPACE.record_at(first.addr().get())?.tag_at(first)
}

impl Record {
    /// The tag of the block that starts at `first`, if the record has tags.
    fn tag_at(&'static self, first: NonNull<u8>) -> Option<&'static Tag> {
        match self {
            Self::Large(large) => Some(&large.tag),
            Self::Extent(extent) => {
                let spot = extent.spot_at(first.addr().get())?;
                extent.tags.get()?.0.get(extent.tag_index(spot))
            }
        }
    }

    /// As [`tag_at`](Self::tag_at), but makes the tags if the record has none.
    pub(in crate::heap) fn make_tag_at(
        &'static self,
        first: NonNull<u8>,
    ) -> Result<&'static Tag, Refused> {
        if let Self::Extent(extent) = self {
            extent.make_tags()?;
        }
        self.tag_at(first).ok_or(Refused)
    }

    /// Gives back the memory of all tags, which are clear. The caller has the family's lock.
    pub(in crate::heap) fn discard_tags(&self) {
        if let Self::Extent(extent) = self {
            extent.discard_tags();
        }
    }

    /// Calls `f` with each live block that has a tag. The caller has the family's lock.
    pub(in crate::heap) fn for_each_tagged(&'static self, mut f: impl FnMut(Tagged<'_>)) {
        match self {
            Self::Large(large) => {
                let address = || large.place().map_or(0, |place| place.address());
                let block = || (address(), large.live_units().unwrap_or(0));
                large.tag.show(block, &mut f);
            }
            Self::Extent(extent) => extent.for_each_tagged(&mut f),
        }
    }
}

impl Extent {
    fn tag_index(&self, spot: Spot) -> usize {
        spot.page.number * self.page_capacity as usize + spot.index
    }

    fn make_tags(&self) -> Result<(), Refused> {
        if self.tags.get().is_some() {
            return Ok(());
        }
        let most = self.states.len() * self.page_capacity as usize;
        // Tags of blocks that are not recorded read as zero and take no memory.
        let tags = meta::SPARSE.zeroed(most)?;
        self.tags.set(Some(meta::RECORDS.place(Tags(tags))?));
        Ok(())
    }

    /// Gives back the memory of all tags, which are clear. The caller has the family's lock.
    fn discard_tags(&self) {
        if let Some(Tags(tags)) = self.tags.get() {
            // SAFETY: `SPARSE` made the tags, in `make_tags`. They are clear, and one of zero bytes is
            // clear, too, so that nothing needs their memory. Only this thread uses them meanwhile: it has
            // the family's lock.
            unsafe { meta::SPARSE.discard(tags) };
        }
    }

    fn for_each_tagged(&'static self, f: &mut impl FnMut(Tagged<'_>)) {
        let Some(Tags(tags)) = self.tags.get() else {
            return;
        };
        for page in self.pages().filter(|page| page.taken() > 0) {
            for TakenBlock { spot, units } in page.blocks() {
                let address = page.unit(spot.index).addr().get();
                let block = || (address, units - Slack::at(spot, units));
                tags[self.tag_index(spot)].show(block, f);
            }
        }
    }
}
