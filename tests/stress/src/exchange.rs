//! How blocks get from one thread to another.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::held::Held;

/// Batches that wait in a mailbox.
const BATCHES: usize = 8;

/// Slots that all threads share, and a mailbox for each lane.
pub(crate) struct Exchange {
    slots: Vec<Mutex<Option<Held>>>,
    mailboxes: Vec<Mailbox>,
}

struct Mailbox {
    sender: SyncSender<Vec<Held>>,
    /// Of the one worker of the lane, and so never waited for.
    receiver: Mutex<Receiver<Vec<Held>>>,
}

impl Exchange {
    /// Makes empty slots and mailboxes.
    pub(crate) fn new(slots: usize, lanes: usize) -> Self {
        let mailbox = || {
            let (sender, receiver) = sync_channel(BATCHES);
            Mailbox {
                sender,
                receiver: Mutex::new(receiver),
            }
        };
        Self {
            slots: (0..slots).map(|_| Mutex::new(None)).collect(),
            mailboxes: (0..lanes).map(|_| mailbox()).collect(),
        }
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Puts something into a slot; returns what was there.
    pub(crate) fn swap(&self, slot: usize, held: Option<Held>) -> Option<Held> {
        // Nothing panics under the lock.
        let mut slot = self.slots[slot]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut slot, held)
    }

    /// Sends a batch to a lane; gives it back if the mailbox is full.
    pub(crate) fn send(&self, lane: usize, batch: Vec<Held>) -> Result<(), Vec<Held>> {
        let sent = self.mailboxes[lane].sender.try_send(batch);
        sent.map_err(|error| match error {
            TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
        })
    }

    /// Takes a batch out of a lane's mailbox.
    pub(crate) fn receive(&self, lane: usize) -> Option<Vec<Held>> {
        let receiver = &self.mailboxes[lane].receiver;
        let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.try_recv().ok()
    }
}
