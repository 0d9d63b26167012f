//! Arguments to analysis to report; error text; exit status.

fn main() {}
