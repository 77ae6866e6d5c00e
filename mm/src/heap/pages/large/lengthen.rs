//! A block that becomes longer in its place: its run gets address space of the run behind it.

use super::Large;
use super::give_back::neighbours;
use super::runs::{LargeRuns, Ledger};
use crate::heap::ground::heap_limit;

impl LargeRuns {
    /// Lengthens the run of a live block to `bytes` bytes, a multiple of the granule, if the run behind it holds no
    /// block and is long enough. Returns false and changes nothing otherwise.
    ///
    /// A run without memory is not taken if a kept run fits the whole block: to copy the block costs less than to touch
    /// new memory.
    pub(in crate::heap) fn lengthen(
        &mut self,
        run: &'static Large,
        bytes: usize,
        ledger: &mut Ledger<'_>,
    ) -> bool {
        let more = bytes - run.bytes();
        let after = run.place().and_then(|place| neighbours(run, place)[0]);
        let Some(after) = after.filter(|after| after.bytes() >= more) else {
            return false;
        };
        if after.is_kept_whole() {
            self.cut_kept(after, more, ledger);
        } else if !after.is_free() || self.kept.has(bytes) || !self.hold_free(after, more, ledger) {
            return false;
        }
        self.live_bytes += after.bytes();
        let (run, refused) = self.absorb((run, run.refused()), after, false);
        run.set_refused(refused);
        true
    }

    /// Takes the first `bytes` bytes of a kept run off the list.
    fn cut_kept(&mut self, run: &'static Large, bytes: usize, ledger: &mut Ledger<'_>) {
        self.kept.remove(run);
        self.keep_rest(run, bytes, ledger);
    }

    /// Takes the first `bytes` bytes of a free run off the list, if the limit of the heap admits them.
    fn hold_free(&mut self, run: &'static Large, bytes: usize, ledger: &mut Ledger<'_>) -> bool {
        if heap_limit::hold(bytes).is_err() {
            return false;
        }
        self.kept.account_missed(bytes, self.live_bytes + bytes);
        self.free.remove(run);
        self.free_rest(run, bytes, ledger);
        // A run that could not be split is longer.
        heap_limit::hold_admitted(run.bytes() - bytes);
        true
    }
}
