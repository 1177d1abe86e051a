//! Traits of a user's that every type has, with a method of each name that an expansion calls: whoever imports one finds out
//! whether a call of ours comes to it. None may, so that the import is unused.

macro_rules! everything {
    ($module:ident: $implementor:ty, $receiver:tt $($sized:ident)?) => {
        pub mod $module {
            #[expect(clippy::wrong_self_convention, reason = "each name is tried with each receiver")]
            pub trait Everything {
                everything!(methods $receiver ($($sized)?)
                    payload needed_payload needed_value classify decode view start value find
                    run prepare call observe finish sends required typed_hooks fallback last_good
                    keep kept key id actor when graph_to version metadata message cache_value event_payload
                    event tags delivery hook hooks hook_ok hook_err timeout_ms is_success text
                    code as_result into_future poll into deref borrow as_ref itself never body orchestrator);
            }

            impl<T: ?Sized> Everything for $implementor {}
        }
    };
    (methods $receiver:tt $sized:tt $($name:ident)*) => {
        $(everything!(method $name $receiver $sized);)*
    };
    (method $name:ident ($($receiver:tt)*) ($($sized:ident)?)) => {
        fn $name($($receiver)*) $(where Self: $sized)? {}
    };
}

everything!(by_reference: T, (&self));
everything!(by_reference_to_a_reference: &T, (&self));
everything!(by_mutable_reference: T, (&mut self));
everything!(by_value: T, (self) Sized);
