//! The agent beside every node, and everyone else's command line.
