//! A queue of events, and the worker that counts them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Events that wait at most.
const WAITING: usize = 1_000;

/// How often each event happened.
type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// The queue, with what was counted so far.
#[derive(Debug)]
pub(crate) struct Events {
    queue: Sender<Bytes>,
    counts: Counts,
}

impl Events {
    /// Starts the worker, on the runtime that this is called in.
    pub(crate) fn new() -> Self {
        let (queue, waiting) = channel(WAITING);
        let counts = Counts::default();
        tokio::spawn(work(waiting, counts.clone()));
        Self { queue, counts }
    }

    /// Queues a list of events, a line each. Waits if the queue is full.
    pub(crate) async fn queue(&self, lines: Bytes) {
        // The worker ends after the queue.
        let _ = self.queue.send(lines).await;
    }

    /// Returns the number of different events.
    pub(crate) fn len(&self) -> usize {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// Counts the events of the queue until it ends.
async fn work(mut waiting: Receiver<Bytes>, counts: Counts) {
    while let Some(lines) = waiting.recv().await {
        let lines = String::from_utf8_lossy(&lines);
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        for event in lines.lines() {
            *counts.entry(event.to_owned()).or_default() += 1;
        }
    }
}
