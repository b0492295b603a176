//! Every cell of the tables of logins and approvals is constrained.

use tsz_air::{TableAir, Tamper};
use tsz_auth::authenticator::Authenticator;
use tsz_auth::passkey::flag;
use tsz_stark::Profile;
use tsz_stf::AuthOp;

use super::wallet;
use super::world::{World, honest};
use crate::class::{CLASSES, Class, WALLET_CLASSES};
use crate::prove::public_values;
use crate::witness::Witness;

/// Columns of the tables of a witness of `ops` ops of which some changed cell goes unnoticed.
fn loose(class: &Class, witness: &Witness, ops: usize) -> Vec<String> {
    let airs = class.circuit(Profile::InsecureTest).airs;
    let own = |name: &str| ["login", "passkey", "wallet"].contains(&name);
    let rows: Vec<usize> = airs.iter().map(|air| if own(&air.name()) { ops } else { 0 }).collect();
    assert_eq!(rows.iter().sum::<usize>(), 2 * ops);
    let tamper = Tamper {
        airs: &airs,
        traces: &witness.traces,
        public_values: &public_values(class, &witness.claim),
        real_rows: &rows,
        trials: 8,
        seed: 7,
    };
    let bad = tamper.columns().into_iter().filter(|r| r.noticed < r.trials);
    bad.map(|r| format!("{} {}", r.table, r.column)).collect()
}

/// A registration whose client data fills all blocks.
fn long() -> World {
    let mut world = World::new();
    let mut op = AuthOp::from(world.register());
    let data = Authenticator::data(&world.passkey, flag::UP | flag::UV, 0);
    let client = |more: &str| Authenticator::client_data(&world.passkey, &world.digest(&op), more);
    let more = format!(",{}", "x".repeat(311 - client(",").len()));
    let client = client(&more);
    *op.assertion_mut().unwrap() = world.authenticator.sign(data, client);
    world.verdict(&op).unwrap();
    world.apply(op);
    world
}

#[test]
fn every_cell_of_a_passkey_is_constrained() {
    // short client data has no fourth and fifth block, whose ids say nothing then
    assert_eq!(loose(&CLASSES[0], &honest().witness(), 3), ["passkey ids[3]", "passkey ids[4]"]);
    assert_eq!(loose(&CLASSES[0], &long().witness(), 1), [""; 0]);
}

#[test]
fn every_cell_of_a_wallet_is_constrained() {
    assert_eq!(loose(&WALLET_CLASSES[0], &wallet::honest().witness().unwrap(), 3), [""; 0]);
}
