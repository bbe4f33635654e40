//! The CosmWasm contract: storage and entry points, one verb a file.
