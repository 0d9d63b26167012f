//! Several bundles at once, within a memory budget.

use std::sync::{Condvar, Mutex, PoisonError};

/// What the workers share: the next item, and how much of the budget is free.
struct State {
    next: usize,
    free: u64,
    running: usize,
}

/// Runs `work` on every item with `jobs` threads, in order of the items, and gives the results in that order. An item starts
/// when its `cost` fits into what is left of `budget`; one that never fits runs alone.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    budget: u64,
    cost: impl Fn(&T) -> u64 + Sync,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let state = Mutex::new(State {
        next: 0,
        free: budget,
        running: 0,
    });
    let changed = Condvar::new();
    // A poisoned lock means that `work` panicked on another thread; the scope passes that panic on.
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let mut state = lock();
        loop {
            let index = state.next;
            let item = items.get(index)?;
            let cost = cost(item).min(budget);
            if cost <= state.free || state.running == 0 {
                state.next += 1;
                state.free = state.free.saturating_sub(cost);
                state.running += 1;
                return Some((index, cost, item));
            }
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    };
    let run = || {
        let mut results = Vec::new();
        while let Some((index, cost, item)) = take() {
            results.push((index, work(item)));
            let mut state = lock();
            state.free += cost;
            state.running -= 1;
            changed.notify_all();
        }
        results
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..jobs.clamp(1, items.len().max(1)))
            .map(|_| scope.spawn(run))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| match handle.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn results_keep_the_order_and_the_budget_holds() {
        let items: Vec<u64> = (0..200).map(|i| i * 37 % 100).collect();
        let used = AtomicU64::new(0);
        let most = AtomicU64::new(0);
        let results = each(
            &items,
            8,
            120,
            |cost| *cost,
            |cost| {
                let now = used.fetch_add(*cost, Ordering::SeqCst) + cost;
                most.fetch_max(now, Ordering::SeqCst);
                std::thread::yield_now();
                used.fetch_sub(*cost, Ordering::SeqCst);
                cost * 2
            },
        );
        assert_eq!(results, items.iter().map(|c| c * 2).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 120);
    }

    #[test]
    fn what_never_fits_runs_all_the_same() {
        assert_eq!(
            each(&[500_u64, 1, 900], 4, 100, |c| *c, |c| *c),
            [500, 1, 900]
        );
        assert_eq!(each(&[5_u64], 0, 0, |c| *c, |c| *c), [5]);
        assert!(each(&[] as &[u64], 3, 9, |c| *c, |c| *c).is_empty());
    }
}
