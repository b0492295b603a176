mod approvals;
mod honest;
mod lies;
mod lies_cells;
mod proofs;
mod props;
mod world;
