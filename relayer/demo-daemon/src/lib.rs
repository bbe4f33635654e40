//! The small HTTP program that the demo upgrades, in four really different releases.
