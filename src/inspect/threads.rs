//! Does the same to many things on a few threads; the answers are in the order of the things.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most threads: contents come from the page cache, beyond that memory is the limit.
const MAX_THREADS: usize = 4;

/// The answers, `None` where a thread failed.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(index) else { return answers };
            answers.push((index, work(thing)));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS).min(things.len());
    let mut answers: BTreeMap<usize, R> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut answers = run();
        answers.extend(others.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        answers.into_iter().collect()
    });
    (0..things.len()).map(|index| answers.remove(&index)).collect()
}
