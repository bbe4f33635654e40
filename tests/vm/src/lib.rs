//! The coordinator's wasm in the chain's own virtual machine: a store that charges as the chain does, the machine, and a
//! contract that runs in it and natively at once.

pub mod charged;
pub mod machine;
pub mod twin;
