//! One harness for the whole house: scenarios, wire goldens, counting store, tidy.
