//! How blocks get from one thread to another.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::held::Held;

/// Batches that wait in a mailbox.
const BATCHES: usize = 8;

/// Slots that all threads share, and a mailbox for each lane.
pub(crate) struct Exchange {
    slots: Vec<Mutex<Option<Held>>>,
    mailboxes: Vec<Mailbox>,
}

/// Batches, the oldest first.
type Mailbox = Mutex<VecDeque<Vec<Held>>>;

impl Exchange {
    /// Makes empty slots and mailboxes.
    pub(crate) fn new(slots: usize, lanes: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| Mutex::new(None)).collect(),
            mailboxes: (0..lanes).map(|_| Mailbox::default()).collect(),
        }
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Puts something into a slot; returns what was there.
    pub(crate) fn swap(&self, slot: usize, held: Option<Held>) -> Option<Held> {
        std::mem::replace(&mut *self.slots[slot].lock(), held)
    }

    /// Sends a batch to a lane; gives it back if the mailbox is full.
    pub(crate) fn send(&self, lane: usize, batch: Vec<Held>) -> Result<(), Vec<Held>> {
        let mut mailbox = self.mailboxes[lane].lock();
        if mailbox.len() == BATCHES {
            return Err(batch);
        }
        mailbox.push_back(batch);
        Ok(())
    }

    /// Takes a batch out of a lane's mailbox.
    pub(crate) fn receive(&self, lane: usize) -> Option<Vec<Held>> {
        self.mailboxes[lane].lock().pop_front()
    }
}
