//! An embedded single-process chain for development that speaks the CometBFT RPC.
