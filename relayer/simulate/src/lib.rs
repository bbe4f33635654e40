//! Seeded simulation of a whole fleet: the real contract, the real decisions, fake hosts.
