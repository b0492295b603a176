//! Facts about each rule, and random histories against an independent model.

mod facts;
mod flat;
mod histories;
mod layout;
mod model;
mod oidc;
mod translate;
mod world;
