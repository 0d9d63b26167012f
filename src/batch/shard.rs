//! One task's part of the bundles, on any scheduler that numbers its tasks.

use sha2::{Digest, Sha256};

/// Part `index` of `count`. A bundle's part follows from its name alone, so tasks agree without talking, also when bundles
/// arrive while they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

/// Why a shard cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The text is not `i/n`.
    #[error(
        "a shard is i/n with i from 0 to n-1, or /n for the scheduler's index; found {found:?}"
    )]
    Syntax {
        /// The text.
        found: String,
    },
    /// `/n` outside of a task array.
    #[error(
        "/{count} needs SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX or AWS_BATCH_JOB_ARRAY_INDEX, and none is set"
    )]
    NoIndex {
        /// The count that was given.
        count: u32,
    },
    /// A task number without the number of tasks.
    #[error("{variable} is set, but not how many tasks there are: give --shard /n")]
    NoCount {
        /// The variable.
        variable: &'static str,
    },
    /// A variable does not hold what its scheduler puts there.
    #[error("{variable} should be a number below {below}, and is {found:?}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        found: String,
        /// The number of tasks.
        below: u32,
    },
}

/// Variables of a scheduler: index, lowest index, step, number of tasks.
struct Scheduler {
    index: &'static str,
    lowest: Option<&'static str>,
    step: Option<&'static str>,
    count: &'static [&'static str],
}

/// Slurm: sbatch(1), "OUTPUT ENVIRONMENT VARIABLES". Kubernetes: Indexed Job; the number of completions is not in the
/// environment unless the manifest puts it there. AWS Batch: "Array job environment variables".
const SCHEDULERS: [Scheduler; 3] = [
    Scheduler {
        index: "SLURM_ARRAY_TASK_ID",
        lowest: Some("SLURM_ARRAY_TASK_MIN"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
        count: &["SLURM_ARRAY_TASK_COUNT"],
    },
    Scheduler {
        index: "JOB_COMPLETION_INDEX",
        lowest: None,
        step: None,
        count: &["JOB_COMPLETIONS"],
    },
    Scheduler {
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        lowest: None,
        step: None,
        count: &["AWS_BATCH_JOB_ARRAY_SIZE"],
    },
];

impl Shard {
    /// The shard of `--shard` (`i/n`, or `/n` with the scheduler's index), else of the scheduler's environment, else none.
    /// `variable` looks up the environment.
    pub fn choose(
        argument: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ShardError> {
        let Some(text) = argument else {
            return Self::of_scheduler(None, variable);
        };
        let syntax = || ShardError::Syntax {
            found: text.to_owned(),
        };
        let (index, count) = text.split_once('/').ok_or_else(syntax)?;
        let count: u32 = count.parse().map_err(|_| syntax())?;
        if index.is_empty() && count > 0 {
            let shard = Self::of_scheduler(Some(count), variable)?;
            return shard.map(Some).ok_or(ShardError::NoIndex { count });
        }
        let index: u32 = index.parse().map_err(|_| syntax())?;
        if index >= count {
            return Err(syntax());
        }
        Ok(Some(Self { index, count }))
    }

    fn of_scheduler(
        count: Option<u32>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ShardError> {
        for scheduler in &SCHEDULERS {
            let Some(found) = variable(scheduler.index) else {
                continue;
            };
            let number = |name: &str| variable(name)?.parse::<u32>().ok();
            let known = scheduler.count.iter().find_map(|name| number(name));
            let Some(count) = count.or(known) else {
                let variable = scheduler.index;
                return Err(ShardError::NoCount { variable });
            };
            let lowest = scheduler.lowest.and_then(number).unwrap_or(0);
            let step = scheduler.step.and_then(number).unwrap_or(1).max(1);
            let index = found
                .parse::<u32>()
                .ok()
                .and_then(|i| i.checked_sub(lowest));
            return match index.map(|i| i / step) {
                Some(index) if index < count => Ok(Some(Self { index, count })),
                _ => Err(ShardError::Variable {
                    variable: scheduler.index,
                    found,
                    below: count,
                }),
            };
        }
        Ok(None)
    }

    /// True if the bundle of this name is in this shard.
    pub fn holds(self, name: &str) -> bool {
        let digest = Sha256::digest(name.as_bytes());
        let head = digest.first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
        head % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(
        argument: Option<&str>,
        set: &[(&str, &str)],
    ) -> Result<Option<(u32, u32)>, ShardError> {
        let variable = |name: &str| {
            let found = set.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Shard::choose(argument, &variable).map(|s| s.map(|s| (s.index, s.count)))
    }

    #[test]
    fn arguments_and_schedulers() {
        assert_eq!(choose(None, &[]), Ok(None));
        assert_eq!(
            choose(Some("2/8"), &[("JOB_COMPLETION_INDEX", "1")]),
            Ok(Some((2, 8)))
        );
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(choose(None, &slurm), Ok(Some((3, 4))));
        assert_eq!(
            choose(Some("/8"), &[("JOB_COMPLETION_INDEX", "5")]),
            Ok(Some((5, 8)))
        );
        let aws = [
            ("AWS_BATCH_JOB_ARRAY_INDEX", "0"),
            ("AWS_BATCH_JOB_ARRAY_SIZE", "3"),
        ];
        assert_eq!(choose(None, &aws), Ok(Some((0, 3))));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for bad in ["", "3", "3/3", "a/3", "1/0", "/0", "-1/4", "1/4/2"] {
            assert!(
                matches!(choose(Some(bad), &[]), Err(ShardError::Syntax { .. })),
                "{bad}"
            );
        }
        assert_eq!(
            choose(Some("/4"), &[]),
            Err(ShardError::NoIndex { count: 4 })
        );
        assert!(matches!(
            choose(None, &[("JOB_COMPLETION_INDEX", "1")]),
            Err(ShardError::NoCount { .. })
        ));
        for bad in ["9", "x", ""] {
            let set = [
                ("AWS_BATCH_JOB_ARRAY_INDEX", bad),
                ("AWS_BATCH_JOB_ARRAY_SIZE", "9"),
            ];
            assert!(
                matches!(choose(None, &set), Err(ShardError::Variable { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn every_bundle_is_in_exactly_one_shard() {
        for name in (0..500).map(|i| format!("customer-{}/bundle-{i}.zip", i % 7)) {
            let holders = (0..8)
                .filter(|&index| Shard { index, count: 8 }.holds(&name))
                .count();
            assert_eq!(holders, 1, "{name}");
        }
    }
}
