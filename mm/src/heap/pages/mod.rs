//! VM pages: extents, the words of their maps, and the lists that sort extents. Blocks larger than a VM page
//! are in `large`.

mod blocks;
mod extent;
mod fullness_lists;
mod guards;
pub(in crate::heap) mod huge;
pub(in crate::heap) mod large;
mod page;
mod record;
mod runs;
mod samples;
mod slack;
mod slot_map;
mod spot;
mod tags;
mod word;

pub(in crate::heap) use blocks::TakenBlock;
#[cfg(feature = "capi")]
pub(in crate::heap) use extent::count;
pub(in crate::heap) use extent::{Extent, MemoryState};
pub(in crate::heap) use fullness_lists::{FullnessLists, fullness_of};
pub(in crate::heap) use page::{Page, PageState, Ready, Spot};
pub(in crate::heap) use record::{Record, SPACE, Span};
pub(in crate::heap) use runs::RunLists;
pub(crate) use samples::{Sample, is_in_sampled_range, reserve_sampled_range};
pub(in crate::heap) use samples::{SampleRecord, sample_at};
pub(in crate::heap) use slack::{Slack, most_slack, take_slack_at};
pub(in crate::heap) use slot_map::{Run, SlotMap, for_each_word, ones, ones_of};
pub(in crate::heap) use spot::{is_block, released_twice, spot_of};
pub(in crate::heap) use tags::tag_at;
#[cfg(doc)]
pub(in crate::heap) use word::Remote;
pub(in crate::heap) use word::{NO_OWNER, Owner, Word};
