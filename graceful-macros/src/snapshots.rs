//! What the attribute expands to, so that a change of generated code is seen in review.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p graceful-macros` writes them anew.

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;
use quote::quote;

/// The expansion, as `rustfmt` would have it, is that of `snapshots/{name}.rs`.
#[track_caller]
fn snapshot(name: &str, arguments: TokenStream, item: &TokenStream) {
    compared(name, crate::expanded(arguments, item));
}

#[track_caller]
fn compared(name: &str, expanded: TokenStream) {
    let file = syn::parse2(expanded).expect("the expansion is Rust");
    let found = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name).with_extension("rs");
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &found).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} has changed: UPDATE_SNAPSHOTS=1 writes it anew", path.display());
}

#[test]
fn data_plus_one_call() {
    snapshot(
        "data_plus_one_call",
        quote!(cache = "user.id", event = "user_updated", pattern = "user"),
        &quote! {
            /// Kept.
            pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
                Ok(user)
            }
        },
    );
}

#[test]
fn flat_with_several_parameters() {
    snapshot(
        "flat_with_several_parameters",
        quote!(pattern = "user", id = id, message = "{tenant}: {result.name}", errors = off),
        &quote! {
            pub async fn save(self, Path(id): Path<u64>, tenant: &str, _: Guard, mut user: User) -> Result<&User, Error>
            where
                Self: Saves,
            {
                self.save(&mut user).await
            }
        },
    );
}

#[test]
fn nested_because_of_an_attribute() {
    snapshot(
        "nested_because_of_an_attribute",
        quote!(cache = "user.id", event = "user_updated", pattern = "user"),
        &quote! {
            #[must_use]
            pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
                Ok(user)
            }
        },
    );
}

#[test]
fn debug_argument_does_not_change_the_expansion() {
    let item = quote!(
        fn get(id: u64) -> Result<u64, Error> {
            Ok(id)
        }
    );
    let expanded = |arguments| crate::expanded(arguments, &item).to_string();
    assert_eq!(expanded(quote!(pattern = "user", debug)), expanded(quote!(pattern = "user")));
}

#[test]
fn everything_at_once() {
    snapshot(
        "everything_at_once",
        quote!(
            pattern = "user",
            on = self.orchestrator,
            cache(key = "{tenant}/{result.id}", ttl = "1m", version = result.version, on_err = "keep"),
            event(name = "saved", payload = result.id),
            audit = to_the_log,
            alert(ok = Self::calm, err = page, severity = "critical", required),
            graph(relation = "owned_by", to = tenant, to_pattern = "tenant"),
            nexus = off,
            schedule(after = "1h", timeout = "2s"),
            fallback = recover,
            tags = ["billing"],
            message = "{tenant}: {result.name}",
            crate = my::graceful
        ),
        &quote! {
            async fn save(&self, tenant: String, _: Guard, mut user: User) -> Result<impl Saved, Error> {
                user.save(tenant).await
            }
        },
    );
}

#[test]
fn durable_through_a_transaction() {
    snapshot(
        "durable_through_a_transaction",
        quote!(
            pattern = "user",
            id = user.id,
            delivery = "durable",
            tx = tx,
            audit = to_the_log,
            alert(ok = calm, err = page)
        ),
        &quote! {
            async fn save(tx: &mut Transaction<'_, Sqlite>, user: User) -> Result<User, Error> {
                user.save(tx).await
            }
        },
    );
}

#[test]
fn not_async() {
    snapshot(
        "not_async",
        quote!(pattern = "user", cache = id, fallback(last_good, max_age = "1h")),
        &quote! {
            fn get<'a>(&'a self, id: u64) -> Result<&'a User, Error> {
                self.users.get(&id).ok_or(Error)
            }
        },
    );
}

#[test]
fn reader() {
    snapshot(
        "reader",
        quote!(
            pattern = "order_list",
            actor = who,
            when = page < 9,
            audit(payload),
            cache(
                key = "{customer}/{page}",
                read,
                refresh = "8m",
                wait = "1s",
                lag = "500ms",
                rev = 2,
                per_actor,
                unwritten,
                depends_on(customer = customer, shop = [shop, "{customer}/{shop}"], prices = ())
            )
        ),
        &quote! {
            async fn list(customer: u64, shop: Option<u64>, page: u32, who: String) -> Result<Vec<Order>, Error> {
                orders(customer, shop, page).await
            }
        },
    );
}

#[test]
fn reader_that_is_not_async() {
    snapshot(
        "reader_that_is_not_async",
        quote!(pattern = "user", cache(key = "{id}", read), payload = result.name),
        &quote! {
            fn get(id: u64) -> Result<User, Error> {
                users().get(&id).ok_or(Error)
            }
        },
    );
}

#[test]
fn reader_that_returns_a_future() {
    snapshot(
        "reader_that_returns_a_future",
        quote!(pattern = "user", cache(key = (), read)),
        &quote! {
            fn all(&self) -> impl Future<Output = Result<Vec<User>, Error>> + Send {
                let users = self.users.clone();
                async move { users.all().await }
            }
        },
    );
}

#[test]
fn reader_under_async_trait() {
    snapshot(
        "reader_under_async_trait",
        quote!(pattern = "user", cache(key = id, read), on = self.orchestrator),
        &quote! {
            fn get<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> Pin<Box<dyn Future<Output = Result<User, Error>> + Send + 'async_trait>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    if let Some(__ret) = None::<Result<User, Error>> {
                        return __ret;
                    }
                    let __self = self;
                    let id = id;
                    let __ret: Result<User, Error> = { __self.users.get(id).await };
                    __ret
                })
            }
        },
    );
}

#[test]
fn writer_that_touches() {
    snapshot(
        "writer_that_touches",
        quote!(
            pattern = "order",
            delivery = "durable",
            tx = tx,
            cache(
                key = order.id,
                shared,
                rev = 2,
                required = false,
                touches(
                    customer = [order.customer, old_customer],
                    r#type = "order.kind",
                    "order-page" = order.id
                ),
                depends_on(shop = "{order.shop}")
            )
        ),
        &quote! {
            async fn update(tx: &mut Transaction<'_>, order: Order, old_customer: u64) -> Result<Order, Error> {
                order.save(tx).await
            }
        },
    );
}

#[test]
fn an_async_block_at_the_end() {
    snapshot(
        "an_async_block_at_the_end",
        quote!(pattern = "user", id = id),
        &quote! {
            fn get(&self, id: u64) -> impl Future<Output = Result<User, Error>> + Send {
                let users = self.users.clone();
                async move { users.get(id).await }
            }
        },
    );
}

#[test]
fn defaults_of_a_block() {
    snapshot(
        "defaults_of_a_block",
        quote!(pattern = "user"),
        &quote! {
            impl Users {
                #[graceful::orchestrate(event)]
                async fn one(&self) -> Result<(), Error> {}
                #[orchestrate]
                async fn two(&self) -> Result<(), Error> {}
                async fn not_annotated(&self) {}
            }
        },
    );
}

#[test]
fn idempotent_through_a_transaction() {
    snapshot(
        "idempotent_through_a_transaction",
        quote!(
            pattern = "payment",
            was = "shop::pay",
            tx = tx,
            idempotent(key = key, window = "1h", request = cents)
        ),
        &quote! {
            async fn pay(tx: &mut Transaction<'_, Sqlite>, key: Option<Key>, cents: u64) -> Result<Receipt, Error> {
                tx.pay(cents).await
            }
        },
    );
}

#[test]
fn idempotent_without_a_transaction() {
    snapshot(
        "idempotent_without_a_transaction",
        quote!(pattern = "payment", actor = user, idempotent = "{account}/{key}"),
        &quote! {
            async fn pay(user: &str, account: u64, key: &str) -> Result<Receipt, Error> {
                account.pay().await
            }
        },
    );
}

#[test]
fn subscriber() {
    let arguments = quote!(
        event = "user_updated",
        pattern = "user",
        tx = tx,
        from = "start",
        attempts = 5,
        timeout = "10s",
        service = "users",
        was = "old::project",
        audit = off
    );
    let item = quote! {
        async fn project(
            event: EventData<User>,
            State(mailer): State<Mailer>,
            tx: &mut Transaction<'_, Sqlite>,
        ) -> Result<(), Error> {
            event.result.save(tx, mailer).await
        }
    };
    compared("subscriber", crate::subscribed(arguments, &item));
}
