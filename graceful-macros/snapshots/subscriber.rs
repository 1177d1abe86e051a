async fn project(
    event: EventData<User>,
    State(mailer): State<Mailer>,
    tx: &mut Transaction<'_, Sqlite>,
) -> Result<(), Error> {
    const __GRACEFUL_DURABLE: ::graceful::__private010::Durable = {
        const fn __graceful_here() {}
        ::graceful::__private010::Durable {
            identity: ::graceful::__private010::identity(__graceful_here),
            was: &["old::project"],
            hooks: ::core::option::Option::None,
        }
    };
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("project", ::core::module_path!(),
        "user").durable(& __GRACEFUL_DURABLE)
        .contract(::graceful::__private010::Contract::new(__GRACEFUL_DURABLE.identity,
        "graceful-macros", & []).was(& ["old::project"]).subscribes("user_updated")
        .receives(& [|| ::graceful::__private010::received:: < EventData < User > > ()
        .__graceful_type(), || ::graceful::__private010::received:: < State < Mailer > >
        ().__graceful_type(),]).errors({ fn __graceful_type() ->
        ::graceful::__private010::ErrorCodes { ::graceful::__private010::contracted:: <
        Result < (), Error > > ().__graceful_codes() } __graceful_type }))
    }
    return ::graceful::__private010::call(
            ::core::pin::pin!(::core::option::Option::None),
            const {
                &::graceful::__private010::HandlerSpec::new("project", "user", "project")
                    .was(const { &["old::project"] })
                    .off(::graceful::__private010::Step::Audit)
                    .subscribes()
                    .durable(&__GRACEFUL_DURABLE)
            },
            move |__spec| async move {
                let __ended = {
                    let __locked = ::graceful::__private010::enter(__spec, |_| {})
                        .lock(::graceful::__private010::transaction(&mut *tx))
                        .await;
                    let tx = &mut *tx;
                    __locked
                        .observe(
                            ::graceful::__private010::body::<
                                Result<(), Error>,
                                _,
                            >(async move {
                                if false {
                                    return {
                                        let _ = (&tx, &mailer, &event);
                                        ::graceful::__private010::never::<Result<(), Error>>()
                                    };
                                }
                                '_body: { event.result.save(tx, mailer).await }
                            }),
                            move |__builder, __result| {
                                ::graceful::__private010::probe(__result)
                                    .__graceful_payload(__builder)
                            },
                            |__builder, __error| {
                                ::graceful::__private010::probe(__error)
                                    .__graceful_classify(__builder);
                                ::graceful::__private010::cause(__error)
                                    .__graceful_cause(__builder);
                            },
                        )
                        .await
                };
                ::graceful::__private010::in_transaction(
                        __ended,
                        ::graceful::__private010::transaction(&mut *tx),
                        ::graceful::__private010::store_error,
                    )
                    .await
            },
        )
        .await;
}
struct __graceful_project(
    [(); {
        ::graceful::__private010::inventory::submit! {
            ::graceful::__private010::Subscriber::new(::core::concat!(::core::module_path!(),
            "::", "project"), "user_updated", "user", | mut __delivery | { let
            __parameter_0 = < EventData < User > as ::graceful::__private010::FromEvent >
            ::from_event(__delivery.event) ?; let __parameter_1 = < State < Mailer > as
            ::graceful::__private010::FromEvent > ::from_event(__delivery.event) ?; let
            __parameter_2 = __delivery.transaction:: < Transaction < '_, Sqlite > > () ?;
            ::core::result::Result::Ok(::std::boxed::Box::pin(async move {
            ::graceful::__private010::probe(& project(__parameter_0, __parameter_1,
            __parameter_2,). await).__graceful_is_ok() })) }).needs(& [< EventData < User
            > as ::graceful::__private010::FromEvent > ::needs, < State < Mailer > as
            ::graceful::__private010::FromEvent > ::needs,])
            .transaction(::graceful::__private010::transaction_type:: < Transaction < '_,
            Sqlite > >).was(const { & ["old::project"] }).service("users").attempts(5u32)
            .timeout_ms(10000u64).from_start()
        }
        1
    }],
);
