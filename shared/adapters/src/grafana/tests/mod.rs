//! What goes over the wire, and what is made of what comes back.

mod api;
mod workspace;
