mod approvals;
mod honest;
mod legs;
mod lies;
mod lies_cells;
mod proofs;
mod props;
mod world;
