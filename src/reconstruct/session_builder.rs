//! Stand-in until the NATS session builder is merged: same calls, no session.
#![allow(missing_docs, clippy::unused_self, clippy::needless_pass_by_value, clippy::needless_pass_by_ref_mut)]

use super::conn::End;
use super::session::Session;
use crate::span::Moment;

#[derive(Debug, Default)]
pub struct SessionBuilder;

impl SessionBuilder {
    pub fn new(_resp_port: u16) -> Self {
        Self
    }
    pub fn data(&mut self, _from: End, _at: Moment, _bytes: &[u8]) {}
    pub fn gap(&mut self, _from: End, _at: Moment, _len: u64) {}
    pub fn fin(&mut self, _from: End, _at: Moment) {}
    pub fn finish(self, _end: Moment) -> Option<Box<Session>> {
        None
    }
}
