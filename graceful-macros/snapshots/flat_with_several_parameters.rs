pub fn save(
    self,
    Path(id): Path<u64>,
    tenant: &str,
    _unnamed_3: Guard,
    user: User,
) -> impl ::core::future::Future<Output = Result<&User, Error>>
where
    Self: Saves,
{
    const fn __graceful_here() {}
    ::graceful::__private010::inventory::submit! {
        ::graceful::__private010::Registered::new("save", ::core::module_path!(), "user")
        .contract(::graceful::__private010::Contract::new(::graceful::__private010::identity(__graceful_here),
        "graceful-macros", & []))
    }
    return (::graceful::__private010::Declared(const {
        &::graceful::__private010::HandlerSpec::new("save", "user", "save")
            .errors_off()
            .identity(::graceful::__private010::identity(__graceful_here))
    }))
        .flat(
            ::graceful::__private010::body::<
                Result<&User, Error>,
                _,
            >(async move {
                if false {
                    return {
                        let _ = (&self, &id, &tenant, &_unnamed_3, &user);
                        ::graceful::__private010::never::<Result<&User, Error>>()
                    };
                }
                if ::graceful::__private010::entered(
                    &mut |__builder| {
                        if __builder.needs(::graceful::__private010::Argument::Id) {
                            __builder.id(&id)
                        }
                        if __builder.needs(::graceful::__private010::Argument::Message) {
                            let __text = ::graceful::__private010::text(
                                ::core::format_args!(
                                    "{}", ::graceful::__private010::shown(& & tenant)
                                ),
                            );
                            __builder.keep(0, &__text)
                        }
                    },
                ) {
                    ::graceful::__private010::gate().await
                }
                {
                    let id = id;
                    let _ = &id;
                    let _unnamed_3 = _unnamed_3;
                    let _ = &_unnamed_3;
                    let mut user = user;
                    '_body: { self.save(&mut user).await }
                }
            }),
            |__builder, __outcome| ::graceful::__private010::either(
                __builder,
                __outcome,
                move |__builder, result| {
                    if __builder.needs(::graceful::__private010::Argument::Message) {
                        let __text = ::graceful::__private010::text(
                            ::core::format_args!(
                                "{}: {}",
                                ::graceful::__private010::FlowBuilder::kept(__builder, 0),
                                ::graceful::__private010::shown(& & result.name)
                            ),
                        );
                        __builder.message(&__text)
                    }
                    ::graceful::__private010::probe(result)
                        .__graceful_payload(__builder);
                },
                |__builder, __error| {
                    ::graceful::__private010::probe(__error)
                        .__graceful_classify(__builder)
                },
            ),
        );
}
