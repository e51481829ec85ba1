//! From outcomes to text and JSON: what people and scripts see.

pub mod canonical;
