//! Facts, pinned layouts, random histories against an independent model.

mod extremes;
mod facts_adl;
mod facts_cross;
mod facts_edges;
mod facts_liquidation;
mod facts_margin;
mod facts_oracle;
mod facts_orders;
mod facts_perp;
mod facts_settle;
mod forms;
mod histories;
mod layout;
mod model;
mod model_close;
mod params;
mod rng;
mod sdk;
mod signatures;
mod world;
