//! Terms of the programs that come with the system, in the words of people.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use tsz_ext::poseidon24::absorb;
use tsz_ext::{ApprovalSlot, Approver};
use tsz_ext_apps::options::{self, Leg, Series};
use tsz_ext_apps::{block, broker, grid};
use tsz_ext_sdk::{Leaf, Trade, spot};
use tsz_trade::Side;
use tsz_types::TimeMs;

use super::parse::Reader;
use crate::ScenarioError;
use crate::fields::{Fields, Node};

/// Terms of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TermsSpec {
    /// The words that the program takes.
    Words(Vec<u32>),
    /// An order of options or broker trading: it names the approval that it belongs to by its epoch, which the runner
    /// reads from the state.
    Order {
        /// The order.
        order: OrderTerms,
    },
}

/// What an order is about, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderTerms {
    /// What both sides must mean alike.
    #[serde(flatten)]
    pub subject: Subject,
    /// Slot of the approval that the order belongs to.
    pub holding: ApprovalSlot,
    /// Buys or sells.
    pub side: Side,
    /// Worst price.
    pub limit: u32,
    /// Lots in all.
    pub lots: u64,
    /// Highest fee rate (1e-6).
    pub max_fee: u32,
}

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A series of options.
    Series(SeriesSpec),
    /// A broker's venue.
    Venue(VenueSpec),
}

impl Subject {
    /// The digest that the order names it by.
    pub(crate) fn digest(&self) -> Leaf {
        match self {
            Self::Series(spec) => options::host::subject(absorb, &spec.0),
            Self::Venue(spec) => broker::host::subject(absorb, &spec.0),
        }
    }
}

/// A series of options; in a file its name, or its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesSpec(pub Series);

impl Serialize for SeriesSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        options::host::series(&self.0).serialize(serializer)
    }
}

/// A broker's venue; in a file its name, or its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueSpec(pub broker::Venue);

impl Serialize for VenueSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        broker::host::venue(&self.0).serialize(serializer)
    }
}

/// What approvals of the file have given names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instruments {
    series: BTreeMap<String, Series>,
    venues: BTreeMap<String, broker::Venue>,
}

type Parsed<T> = Result<T, ScenarioError>;

/// The forms of terms.
const FORMS: [&str; 9] = [
    "block",
    "broker_client",
    "broker_house",
    "grid",
    "intent",
    "option_holder",
    "option_vault",
    "order",
    "vesting",
];

impl Reader<'_> {
    /// The terms of the approval at `place`: words, or an object with one of [`FORMS`].
    pub(super) fn terms(&mut self, f: &mut Fields, place: Approver) -> Parsed<TermsSpec> {
        let node = f.node("terms")?;
        if !node.value.is_object() {
            return node.get().map(TermsSpec::Words);
        }
        let mut terms = node.object()?;
        let form = terms.map.keys().next().cloned().unwrap_or_default();
        if !FORMS.contains(&form.as_str()) {
            return terms.wrong(format!("expected words or one of {}", FORMS.join(", ")));
        }
        let node = terms.node(&form)?;
        terms.finish()?;
        Ok(TermsSpec::Words(match form.as_str() {
            "block" => self.block(node.object()?)?,
            "grid" => self.grid(node.object()?)?,
            "intent" => self.intent(node.object()?)?,
            "option_vault" => self.option_vault(node.object()?, place)?,
            "option_holder" => {
                let series = self.series_in(node)?.0;
                options::host::holder(&options::host::subject(absorb, &series))
            }
            "broker_house" => self.broker_house(node.object()?, place)?,
            "broker_client" => self.broker_client(node.object()?)?,
            "vesting" => self.vesting(node.object()?)?,
            _ => return self.order_terms(node.object()?).map(|order| TermsSpec::Order { order }),
        }))
    }

    /// One side of a block trade.
    fn block(&self, mut b: Fields) -> Parsed<Vec<u32>> {
        let sells = b.required::<Side>("side")? == Side::Sell;
        let other = self.names.party_in(b.node("with")?)?;
        let deal = Trade {
            market: self.names.perp_in(b.node("market")?)?.get().into(),
            lots: b.required("lots")?,
            price: b.required("price")?,
            multiplier: b.required("multiplier")?,
        };
        if deal.lots >> 48 != 0 {
            return b.wrong("lots are below 2^48");
        }
        b.finish()?;
        Ok(block::host::terms(sells, (other.account.get(), other.sub.get().into()), &deal))
    }

    fn grid(&self, mut g: Fields) -> Parsed<Vec<u32>> {
        let (base, quote, units) = self.pair(&mut g)?;
        let (fee, sellers) = (g.required("max_fee")?, g.required("first_seller")?);
        let level = |node: Node| {
            let mut l = node.object()?;
            let level =
                grid::Level { buy: l.required("buy")?, sell: l.required("sell")?, lots: l.required("lots")? };
            l.finish()?;
            Ok(level)
        };
        let levels: Vec<_> = g.list("levels")?.into_iter().map(level).collect::<Parsed<_>>()?;
        g.finish()?;
        Ok(grid::host::terms(&grid::Pair { base, quote, units }, fee, sellers, &levels))
    }

    fn intent(&self, mut i: Fields) -> Parsed<Vec<u32>> {
        let (base, quote, units) = self.pair(&mut i)?;
        let intent = grid::Intent {
            market: grid::Pair { base, quote, units },
            max_fee: i.required("max_fee")?,
            buys: i.required::<Side>("side")? == Side::Buy,
            limit: i.required("limit")?,
            lots: i.required("lots")?,
        };
        i.finish()?;
        Ok(grid::host::intent(&intent))
    }

    /// A vault: its approval defines the series.
    fn option_vault(&mut self, mut v: Fields, place: Approver) -> Parsed<Vec<u32>> {
        let (base, quote, units) = self.pair(&mut v)?;
        let legs = v.list("legs")?.into_iter().map(leg).collect::<Parsed<Vec<_>>>()?;
        let series = Series {
            base,
            quote,
            market: self.names.perp_in(v.node("market")?)?.get().into(),
            units,
            legs: [legs.first().copied(), legs.get(1).copied()],
            expiry: v.required::<TimeMs>("expiry")?.get(),
            samples: v.optional("samples")?.unwrap_or(1),
            gap: v.optional("gap")?.unwrap_or(0),
            vault: place.account.get(),
            vault_sub: place.sub.get().into(),
            vault_slot: place.slot.get().into(),
        };
        let read = Series::parse(&options::host::series(&series));
        if read != Ok(series) || legs.len() > 2 {
            return v.wrong(
                "no series: one or two legs, strikes above 0, 1 to 60 samples with a gap, sizes that fit",
            );
        }
        let path = v.at("name");
        define(&mut self.instruments.series, v.optional("name")?, series, path)?;
        v.finish()?;
        Ok(options::host::vault(&options::host::subject(absorb, &series)))
    }

    /// A house: its approval defines the venue.
    fn broker_house(&mut self, mut h: Fields, place: Approver) -> Parsed<Vec<u32>> {
        let (base, quote, units) = self.pair(&mut h)?;
        let venue = broker::Venue {
            base,
            quote,
            market: self.names.perp_in(h.node("market")?)?.get().into(),
            units,
            house: place.account.get(),
            house_sub: place.sub.get().into(),
            house_slot: place.slot.get().into(),
        };
        let mut rate = |name: &str| -> Parsed<u32> { Ok(h.optional(name)?.unwrap_or(0)) };
        let house = broker::House {
            taker_fee: rate("taker_fee")?,
            maker_fee: rate("maker_fee")?,
            rebate: rate("rebate")?,
            exchange: rate("exchange")?,
            introducer: rate("introducer")?,
            daily: h.required("daily")?,
        };
        let venue_read = broker::Venue::parse(&broker::host::venue(&venue));
        let house_read = broker::House::parse(&broker::host::house_words(&house));
        if venue_read != Ok(venue) || house_read != Ok(house) {
            return h.wrong("no terms of a house: rates below 2^19, two tokens, sizes that fit");
        }
        let path = h.at("name");
        define(&mut self.instruments.venues, h.optional("name")?, venue, path)?;
        h.finish()?;
        Ok(broker::host::house(&broker::host::subject(absorb, &venue), &house))
    }

    fn broker_client(&self, mut c: Fields) -> Parsed<Vec<u32>> {
        let venue = self.venue(&mut c)?.0;
        let introducer = c.maybe_node("introducer").map(|node| self.names.party_in(node)).transpose()?;
        let mandate = broker::Mandate {
            band: c.required("band")?,
            age: c.required("age")?,
            trade: c.required("trade")?,
            daily: c.required("daily")?,
            introducer: introducer.map_or((0, 0), |p| (p.account.get(), p.sub.get().into())),
        };
        if broker::Mandate::parse(&broker::host::mandate_words(&mandate)) != Ok(mandate) {
            return c.wrong("no mandate: a band of at most 10000, an age below 2^16 s, lots below 2^48");
        }
        c.finish()?;
        Ok(broker::host::client(&broker::host::subject(absorb, &venue), &mandate))
    }

    /// `[start, end (s), units, account of the receiver]`.
    fn vesting(&self, mut v: Fields) -> Parsed<Vec<u32>> {
        let mut seconds = |name: &str| {
            let ms = v.required::<TimeMs>(name)?.get();
            let whole = ms.is_multiple_of(1_000).then_some(ms / 1_000).and_then(|s| u32::try_from(s).ok());
            whole.ok_or_else(|| ScenarioError::field(v.at(name), "expected whole seconds, in ms"))
        };
        let (start, end) = (seconds("start")?, seconds("end")?);
        let words = vec![start, end, v.required("units")?, self.names.account_in(v.node("receiver")?)?.get()];
        v.finish()?;
        Ok(words)
    }

    fn order_terms(&self, mut o: Fields) -> Parsed<OrderTerms> {
        let subject = match o.has("series") {
            true => Subject::Series(self.series(&mut o)?),
            false => Subject::Venue(self.venue(&mut o)?),
        };
        let order = OrderTerms {
            subject,
            holding: o.optional("holding")?.unwrap_or(ApprovalSlot::MIN),
            side: o.required("side")?,
            limit: o.required("limit")?,
            lots: o.required("lots")?,
            max_fee: o.optional("max_fee")?.unwrap_or(0),
        };
        if order.lots >> 48 != 0 {
            return o.wrong("lots are below 2^48");
        }
        o.finish()?;
        Ok(order)
    }

    /// The series of an entry.
    pub(super) fn series(&self, f: &mut Fields) -> Parsed<SeriesSpec> {
        self.series_in(f.node("series")?)
    }

    fn series_in(&self, node: Node) -> Parsed<SeriesSpec> {
        if let Some(series) = known(&self.instruments.series, &node, "series")? {
            return Ok(SeriesSpec(series));
        }
        let (path, words) = (node.path.clone(), node.get()?);
        Series::parse(&words).map(SeriesSpec).map_err(|fault| ScenarioError::field(path, fault))
    }

    /// The venue of an entry.
    pub(super) fn venue(&self, f: &mut Fields) -> Parsed<VenueSpec> {
        let node = f.node("venue")?;
        if let Some(venue) = known(&self.instruments.venues, &node, "venue")? {
            return Ok(VenueSpec(venue));
        }
        let (path, words) = (node.path.clone(), node.get()?);
        broker::Venue::parse(&words).map(VenueSpec).map_err(|fault| ScenarioError::field(path, fault))
    }

    /// Tokens and units: `base`, `quote`, `lot_base`, `tick_quote`.
    fn pair(&self, f: &mut Fields) -> Parsed<(u32, u32, spot::Units)> {
        let base = self.names.token_in(f.node("base")?)?.get().into();
        let quote = self.names.token_in(f.node("quote")?)?.get().into();
        let units = spot::Units { lot_base: f.required("lot_base")?, tick_quote: f.required("tick_quote")? };
        Ok((base, quote, units))
    }
}

/// `{"call": strike}` or `{"put": strike}`, with `"short": true` where the buyer of the contract sells this option.
fn leg(node: Node) -> Parsed<Leg> {
    let mut leg = node.object()?;
    let put = leg.has("put");
    let strike = leg.required(if put { "put" } else { "call" })?;
    let short = leg.optional("short")?.unwrap_or(false);
    leg.finish()?;
    Ok(Leg { put, short, strike })
}

/// Gives a thing its name, if it has one. The same thing may be named again.
fn define<T: PartialEq>(
    names: &mut BTreeMap<String, T>,
    name: Option<String>,
    thing: T,
    path: String,
) -> Parsed<()> {
    let Some(name) = name else { return Ok(()) };
    match names.get(&name) {
        Some(other) if *other != thing => {
            Err(ScenarioError::field(path, format!("another one named {name:?}")))
        }
        _ => {
            names.insert(name, thing);
            Ok(())
        }
    }
}

/// The thing that a node names; `None` where it is no name.
fn known<T: Copy>(names: &BTreeMap<String, T>, node: &Node, what: &str) -> Parsed<Option<T>> {
    let Some(name) = node.value.as_str() else { return Ok(None) };
    let found = names.get(name).copied();
    found
        .map(Some)
        .ok_or_else(|| ScenarioError::field(node.path.as_str(), format!("no {what} named {name:?} so far")))
}
