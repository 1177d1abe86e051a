//! Failpoints: named points at which a test can interrupt a durable flow by an abort, an error or a delay.

#[cfg(feature = "failpoints")]
mod points {
    use crate::step::StepError;

    /// In the order of the way.
    pub const POINTS: [&str; 9] =
        ["insert", "commit", "committed", "claim", "claimed", "step", "settle", "dead", "settled"];

    /// Interrupts the caller here, if the test has asked for it.
    pub fn point(name: &'static str) -> Result<(), StepError> {
        debug_assert!(POINTS.contains(&name), "`{name}` is not listed");
        fail::fail_point!(name, |_| Err(StepError::new(format_args!("interrupted at `{name}`"))));
        Ok(())
    }
}

#[cfg(not(feature = "failpoints"))]
mod points {
    use crate::step::StepError;

    /// Without the feature `failpoints` it does nothing.
    pub const fn point(_: &'static str) -> Result<(), StepError> {
        Ok(())
    }
}

#[cfg(feature = "failpoints")]
pub use self::points::POINTS;
pub use self::points::point;
