//! Heads of every framework.
