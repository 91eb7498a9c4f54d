//! The parser against samples, rendered messages and damage.
