//! Threads that do one job at a time for the main thread.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

pub const WORKERS: usize = 3;

type Job = Box<dyn FnOnce() + Send>;

/// The workers. A worker has a thread from its first job on.
#[derive(Default)]
pub struct Workers([Option<Worker>; WORKERS]);

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Does `job` on a worker, and waits for its result. If the job panics, the fuzzer aborts.
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

    /// Ends a worker. Its next job starts another thread.
    pub fn end(&mut self, worker: usize) {
        if let Some(Worker { jobs, thread }) = self.0[worker].take() {
            drop(jobs);
            // `join` returns after the thread's locals were dropped, and its caches with them.
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
