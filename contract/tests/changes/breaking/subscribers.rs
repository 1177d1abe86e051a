//! Subscribers and what they read.

use crate::changes;

changes! {
    subscriber_gone [lock "handler users::mail"] {
        receives! { struct In { id: u32 } }
        emits_nothing!();
    } => {
        emits_nothing!();
    }
    subscriber_requires_more_of_an_event_of_others [handler "receives users::mail value.email"] {
        receives! { struct In { id: u32 } }
    } => {
        receives! { struct In { id: u32, email: String } }
    }
    subscriber_requires_more_than_is_emitted [handler "receives users::mail value.email"] {
        receives! { struct In { id: u32 } }
        emits_plain!();
    } => {
        receives! { struct In { id: u32, email: String } }
        emits_plain!();
    }
    new_subscriber_requires_more_than_is_emitted [handler "receives users::mail value.id"] {
        emits_plain!();
    } => {
        receives! { struct In { id: String } }
        emits_plain!();
    }
    producer_breaks_a_known_subscriber [lock "event user_updated data.age", lock "event user_updated data.email"] {
        emits! { struct Out { id: u32, email: String, age: u32 } }
        receives! { struct In { email: String } }
    } => {
        emits! { struct Out { id: u32 } }
        receives! { struct In { email: String } }
    }
}
