//! The program `rumor`.
fn main() {}
