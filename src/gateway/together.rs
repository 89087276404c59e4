//! Several calls at once: a build waits for the builder more than it works.

/// Runs futures side by side on this one thread and gives their results in order.
pub async fn side_by_side<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Some(Box::pin(future)), None)).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, output) in &mut running {
            if let Some(polled) = future {
                match polled.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => {
                        *output = Some(value);
                        *future = None;
                    }
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn gives_results_in_order_whoever_is_first() {
        let wait = async |seconds: u64| {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        let started = tokio::time::Instant::now();
        let results = side_by_side([3, 1, 2].into_iter().map(wait)).await;
        assert_eq!(results, [3, 1, 2]);
        assert_eq!(started.elapsed().as_secs(), 3);
    }
}
