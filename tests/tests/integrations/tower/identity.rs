use graceful::{Context, tower::ContextLayer};

use super::{context, request, seen};

#[derive(Clone)]
struct Claims(&'static str);

#[tokio::test]
async fn user_tenant_and_actor_come_from_the_closures() {
    let layer = ContextLayer::new()
        .user(|request| Some(request.extensions.get::<Claims>()?.0))
        .tenant(|request| Some(request.headers.get("host")?.to_str().ok()?.split('.').next()?.to_owned()))
        .actor(|request| request.uri.path().strip_prefix("/as/").map(ToOwned::to_owned));
    let mut request = request(&[("host", "acme.example.org")]);
    *request.uri_mut() = "/as/support".parse().unwrap();
    request.extensions_mut().insert(Claims("ada"));

    let (context, ..) = seen(layer, request).await;
    assert_eq!(context.user.as_deref(), Some("ada"));
    assert_eq!(context.tenant.as_deref(), Some("acme"));
    assert_eq!(context.actor.as_deref(), Some("support"));
}

/// A client can write anything into a header.
#[tokio::test]
async fn headers_alone_set_no_user_tenant_or_actor() {
    let context =
        context(&[("x-user", "a"), ("x-tenant", "b"), ("x-actor", "c"), ("authorization", "d")]).await;
    assert_eq!((&context.user, &context.tenant, &context.actor), (&None, &None, &None));
}

#[tokio::test]
async fn context_of_an_outer_layer_is_kept_unless_overridden() {
    let outer = Context::new().user("ada").tenant("acme").correlation_id("order-9");
    let layer = ContextLayer::new().tenant(|_| Some("initech")).user(|_| None::<String>);
    let (context, ..) = outer.scope(seen(layer, request(&[]))).await;
    assert_eq!(context.user.as_deref(), Some("ada"));
    assert_eq!(context.tenant.as_deref(), Some("initech"));
    assert_eq!(context.correlation_id.as_deref(), Some("order-9"));
}
