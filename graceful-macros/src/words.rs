//! The choices that a declaration makes by a word; most are enums of the runtime.

use std::fmt;

/// An enum of the runtime, and the words for its variants.
pub(crate) trait Words: Copy + 'static {
    /// The enum's name.
    const ENUM: &'static str;
    const ALL: &'static [Self];

    /// What the user writes.
    fn word(self) -> &'static str;

    /// The variant's name.
    fn variant(self) -> &'static str;
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($variant),+
        }

        impl Words for $name {
            const ENUM: &'static str = stringify!($name);
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            fn variant(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }
        }
    )+};
}

words! {
    /// In the order of the runtime.
    Step {
        Fallback = "fallback",
        Metadata = "metadata",
        Cache = "cache",
        Graph = "graph",
        Schedule = "schedule",
        Event = "event",
        Nexus = "nexus",
        Audit = "audit",
        Alert = "alert",
    }
    Delivery { Inline = "inline", Background = "background", Durable = "durable" }
    OnOk { Put = "put", Invalidate = "invalidate" }
    OnErr { Auto = "auto", Always = "always", Keep = "keep" }
    AlertOn { All = "all", ServerFault = "server_fault" }
    Begin { Now = "now", Start = "start" }
    Severity { Info = "info", Warning = "warning", Error = "error", Critical = "critical" }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
