//! The circuits of this program, as the registry sees them.

mod approvals;
mod auth;
mod deleverage;
mod fund;
mod guard;
mod legs;
mod liquidate;
mod manage;
mod oidc;
mod oracle;
mod perp;
mod settle;
mod spot;
mod transition;

use std::sync::Arc;

use tsz_stark::Profile;

pub use approvals::Approvals;
pub use auth::Auth;
pub use deleverage::Deleverage;
pub use fund::Fund;
pub use guard::Guard;
pub use legs::Legs;
pub use liquidate::Liquidate;
pub use manage::Manage;
pub use oidc::Oidc;
pub use oracle::Oracle;
pub use perp::Perp;
pub use settle::Settle;
pub use spot::Spot;
pub use transition::{Transition, transition_counts};

use crate::registry::Registry;
use crate::runs::CommittedRuns;

/// All circuits in a security profile; only [`Profile::Base`] is ever pinned. Runs of programs are proven where their
/// proofs are committed, until there is another prover ([`Registry::set_run_prover`]).
pub fn circuits(profile: Profile) -> Registry {
    let mut registry = Registry::new();
    registry.set_run_prover(Arc::new(CommittedRuns::default()));
    for class in &tsz_fund::CLASSES {
        registry.add_exec(Arc::new(Fund::new(class, profile)));
    }
    for class in &tsz_spot::CLASSES {
        registry.add_exec(Arc::new(Spot::new(class, profile)));
    }
    for class in &tsz_perp::CLASSES {
        registry.add_exec(Arc::new(Perp::new(class, profile)));
    }
    for class in tsz_auth_circuit::CLASSES.iter().chain(&tsz_auth_circuit::WALLET_CLASSES) {
        registry.add_exec(Arc::new(Auth::new(class, profile)));
    }
    for class in tsz_oidc::CLASSES.iter().chain(&tsz_oidc::ES256_CLASSES) {
        registry.add_exec(Arc::new(Oidc::new(class, profile)));
    }
    for class in &tsz_guard::APPROVAL_CLASSES {
        registry.add_exec(Arc::new(Approvals::new(class, profile)));
    }
    for class in &tsz_guard::CLASSES {
        registry.add_guard(Arc::new(Guard::new(class, profile)));
    }
    for class in &tsz_guard::margin::MARGIN_CLASSES {
        registry.add_guard(Arc::new(Legs::new(class, profile)));
    }
    for class in &tsz_manage::CLASSES {
        registry.add_exec(Arc::new(Manage::new(class, profile)));
    }
    for class in &tsz_settle::CLASSES {
        registry.add_exec(Arc::new(Settle::new(class, profile)));
    }
    for class in &tsz_liquidate::CLASSES {
        registry.add_exec(Arc::new(Liquidate::new(class, profile)));
    }
    for class in &tsz_deleverage::CLASSES {
        registry.add_exec(Arc::new(Deleverage::new(class, profile)));
    }
    for class in &tsz_oracle::CLASSES {
        registry.add_exec(Arc::new(Oracle::new(class, profile)));
    }
    for class in &tsz_transition::CLASSES {
        registry.add_transition(Arc::new(Transition::new(class, profile)));
    }
    registry
}
