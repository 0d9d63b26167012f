//! The whole grammar on real lines.
