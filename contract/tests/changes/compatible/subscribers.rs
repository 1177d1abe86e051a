//! Subscribers and what they read.

use crate::changes;

changes! {
    subscriber_added {
        emits_plain!();
    } => {
        emits_plain!();
        receives! { struct In { id: u64 } }
    }
    subscriber_reads_more_of_what_is_emitted {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32 } }
    } => {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32, email: String } }
    }
    subscriber_reads_more_if_it_is_there {
        receives! { struct In { id: u32 } }
    } => {
        receives! { struct In { id: u64, #[serde(default)] email: String } }
    }
    subscriber_reads_less {
        receives! { struct In { id: u32, email: String } }
    } => {
        receives! { struct In { email: String } }
    }
    field_that_no_subscriber_reads_added {
        emits! { struct Out { id: u32 } }
        receives! { struct In { id: u32 } }
    } => {
        emits! { struct Out { id: u32, email: String } }
        receives! { struct In { id: u32 } }
    }
}
