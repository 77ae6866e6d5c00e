//! Threads that do one thing at a time for the main thread.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

pub const WORKERS: usize = 3;

type Job = Box<dyn FnOnce() + Send>;

/// The workers; those that nothing was asked of have no thread.
#[derive(Default)]
pub struct Workers([Option<Worker>; WORKERS]);

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Does `job` on a worker and waits for its answer. Where the job panics, the fuzzer aborts.
    pub fn on<R: Send + 'static>(
        &mut self,
        worker: usize,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        let (tell, answer) = mpsc::channel();
        let worker = self.0[worker].get_or_insert_with(Worker::start);
        let job = move || tell.send(job()).expect("the main thread waits");
        worker.jobs.send(Box::new(job)).expect("the worker waits");
        answer.recv().expect("the worker answers")
    }

    /// Ends a worker; the next job starts another thread.
    pub fn end(&mut self, worker: usize) {
        if let Some(Worker { jobs, thread }) = self.0[worker].take() {
            drop(jobs);
            // Comes back only when the thread's locals are gone, and with them its caches.
            thread.join().expect("workers do not panic");
        }
    }
}

impl Worker {
    fn start() -> Self {
        let (jobs, wanted) = mpsc::channel::<Job>();
        let thread = thread::spawn(move || wanted.into_iter().for_each(|job| job()));
        Self { jobs, thread }
    }
}
