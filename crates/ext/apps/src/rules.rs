//! What the numbers of [`Fault::Rule`](tsz_ext_sdk::Fault::Rule) mean, for people.

use crate::{block, broker, grid, options, order};

/// The rule that a program refuses by; `None` for a number that it does not use.
pub fn text(program: &str, number: u32) -> Option<&'static str> {
    match program {
        "block" => (number == block::rule::LOTS).then_some("no more lots are filled than were agreed"),
        "broker" => broker_rule(number).or_else(|| order_rule(number)),
        "grid" => grid_rule(number),
        "options" => options_rule(number).or_else(|| order_rule(number)),
        "vesting" => (number == 1).then_some("the receiver is the one of the terms"),
        _ => None,
    }
}

fn order_rule(number: u32) -> Option<&'static str> {
    Some(match number {
        order::rule::HOLDING => "an order belongs to the present approval of its holder",
        order::rule::SIDE => "an order is on the side that it is used for",
        order::rule::PRICE => "the price is within the order's limit",
        order::rule::FEE => "the fee is within the order's cap",
        order::rule::FILLED => "the order has as many lots left, and there is one at least",
        _ => return None,
    })
}

fn options_rule(number: u32) -> Option<&'static str> {
    Some(match number {
        options::rule::PARTIES => "a trade is between two holders and the vault",
        options::rule::VAULT => "the vault is that of the series",
        options::rule::EXPIRED => "trades end at expiry",
        options::rule::NOT_EXPIRED => "samples begin at expiry",
        options::rule::EARLY_PRICE => {
            "a sample's price is of expiry or later, and its gap after the one before"
        }
        options::rule::NO_PRICE => "payouts follow the last sample",
        options::rule::HAS_PRICE => "all samples are taken",
        options::rule::POSITION => "there is a position, below 2^46 lots",
        _ => return None,
    })
}

fn broker_rule(number: u32) -> Option<&'static str> {
    Some(match number {
        broker::rule::HOUSE => "the house is that of the venue",
        broker::rule::PARTIES => "a match has two clients",
        broker::rule::DAY => "the day is that of the batch",
        broker::rule::DAILY => "the lots of the day are within house's and clients' limits",
        broker::rule::TRADE => "a match has no more lots than both clients allow",
        broker::rule::STALE => "the index is as young as both clients ask, of a market that does not settle",
        broker::rule::BAND => "the price is near the index, as both clients ask",
        broker::rule::INTRODUCER => "the introducer is the one of the mandate",
        _ => return None,
    })
}

fn grid_rule(number: u32) -> Option<&'static str> {
    Some(match number {
        grid::rule::PARTIES => "a fill is between a grid and an intent",
        grid::rule::OTHER_MARKET => "grid and intent name the same tokens and units",
        grid::rule::FEE => "the fees are within both caps",
        grid::rule::NO_LEVEL => "the grid has this level, and buys there below its selling price",
        grid::rule::WRONG_SIDE => "the level is on the other side of the intent",
        grid::rule::PRICE => "the level's price is within the intent's limit",
        grid::rule::LOTS => "the level has as many lots left, and there is one at least",
        grid::rule::INTENT_FILLED => "the intent has as many lots left",
        _ => return None,
    })
}
