//! The language that contract, agent and clients speak, and the pure rules of its nouns.
