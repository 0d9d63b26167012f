//! Refused, late, expired, revoked, certificate, account.

pub mod account;
pub mod auth_expired;
pub mod auth_timeout;
pub mod authorization_violation;
pub mod credentials_changed;
pub mod tls_handshake;
