//! `hf_jobs`: training and other work on rented machines.

pub mod python;
