//! Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): leave out ever smaller
//! parts of a list while what matters stays.

/// What is left, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smallest {
    /// The items that stay, in order.
    pub items: Vec<usize>,
    /// Questions asked.
    pub runs: usize,
    /// No single item can be left out any more; false where the questions ran out first.
    pub minimal: bool,
}

/// Reduces `items`, for which `holds` is known to be true, with at most `budget` questions.
pub fn reduce(
    items: Vec<usize>,
    budget: usize,
    mut holds: impl FnMut(&[usize]) -> bool,
) -> Smallest {
    let mut left = items;
    let mut runs = 0;
    let mut parts = 2;
    while left.len() > 1 {
        let size = left.len().div_ceil(parts);
        let mut at = 0;
        let mut smaller = false;
        while at < left.len() {
            if runs == budget {
                return Smallest {
                    items: left,
                    runs,
                    minimal: false,
                };
            }
            let end = (at + size).min(left.len());
            let without: Vec<usize> = left[..at].iter().chain(&left[end..]).copied().collect();
            runs += usize::from(!without.is_empty());
            if !without.is_empty() && holds(&without) {
                left = without;
                smaller = true;
            } else {
                at = end;
            }
        }
        if size == 1 && !smaller {
            break;
        }
        // A part that could not go alone may go now that others went.
        parts = if size == 1 {
            left.len()
        } else {
            (parts * 2).min(left.len())
        };
    }
    Smallest {
        items: left,
        runs,
        minimal: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_matters_is_left() {
        for needed in [vec![0], vec![99], vec![3, 4, 70], vec![10, 20, 30, 40, 50]] {
            let found = reduce((0..100).collect(), 1000, |items| {
                needed.iter().all(|item| items.contains(item))
            });
            assert_eq!(found.items, needed);
            assert!(found.minimal && found.runs < 300, "{}", found.runs);
        }
    }

    #[test]
    fn the_budget_bounds_the_questions() {
        let mut asked = 0;
        let found = reduce((0..1000).collect(), 7, |items| {
            asked += 1;
            items.contains(&500)
        });
        assert_eq!((asked, found.runs, found.minimal), (7, 7, false));
        assert!(found.items.contains(&500) && found.items.len() < 1000);
    }

    #[test]
    fn items_that_go_only_together_go() {
        // Either both of a pair or none.
        let found = reduce((0..16).collect(), 1000, |items| {
            items.contains(&5) && items.contains(&2) == items.contains(&3)
        });
        assert_eq!(found.items, [5]);
    }
}
