//! What a flow says, in triples.

use graceful::{Key, backends::Activity};
use oxrdf::{Literal, NamedNode, NamedNodeRef, Term, Triple};

use super::vocabulary::{
    ACTOR, CODE, ENVIRONMENT, FAILED, HANDLER, ID, MESSAGE, PATTERN, PROV_ACTIVITY, PROV_ASSOCIATED,
    PROV_ENDED, PROV_ENTITY, PROV_INFORMED, PROV_USED, RELATION, SERVICE, SUCCEEDED, TAG, TENANT, TO, TYPE,
    agent, entity, flow, relation, time,
};

/// What nothing but this flow says: it goes with the flow.
pub fn own(activity: &Activity) -> Vec<Triple> {
    let (subject, about) = (flow(activity.flow), entity(&activity.entity));
    let mut triples = Vec::with_capacity(12);
    let mut say = |predicate: NamedNodeRef<'_>, object: Term| {
        triples.push(Triple::new(subject.clone(), predicate, object));
    };
    say(TYPE, PROV_ACTIVITY.into_owned().into());
    say(PROV_USED, about.clone().into());
    say(PROV_ENDED, time(activity.at).into());
    say(CODE, text(activity.code.as_str()));
    say(MESSAGE, text(&activity.message));
    for (predicate, value) in [(ENVIRONMENT, &activity.environment), (HANDLER, &activity.handler)] {
        if !value.is_empty() {
            say(predicate, text(value));
        }
    }
    if let Some(actor) = &activity.actor {
        say(ACTOR, text(actor));
        say(PROV_ASSOCIATED, agent(activity.entity.tenant(), actor).into());
    }
    if let Some(parent) = activity.parent {
        say(PROV_INFORMED, flow(parent).into());
    }
    for tag in &activity.tags {
        say(TAG, text(tag));
    }
    if let Some(name) = &activity.relation {
        say(RELATION, relation(name).into());
    }
    if let Some(to) = &activity.to {
        say(TO, entity(to).into());
    }

    let outcome = if activity.succeeded { SUCCEEDED } else { FAILED };
    triples.push(Triple::new(about.clone(), outcome, subject.clone()));
    if let (Some(name), None) = (&activity.relation, &activity.to) {
        triples.push(Triple::new(about, relation(name), subject));
    }
    triples
}

/// Entity —relation→ entity: another flow may say the same.
pub fn fact(activity: &Activity) -> Option<Triple> {
    let (name, to) = (activity.relation.as_ref()?, activity.to.as_ref()?);
    Some(Triple::new(entity(&activity.entity), relation(name), entity(to)))
}

/// What an entity is, as long as a flow is about it, or says something of it.
pub fn described(key: &Key) -> Vec<Triple> {
    let subject: NamedNode = entity(key);
    let parts = [(SERVICE, key.service()), (TENANT, key.tenant()), (PATTERN, key.pattern()), (ID, key.id())];
    let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
    let kind = Triple::new(subject.clone(), TYPE, PROV_ENTITY);
    std::iter::once(kind)
        .chain(parts.map(|(predicate, part)| Triple::new(subject.clone(), predicate, text(part))))
        .collect()
}

/// All of it.
pub fn all(activity: &Activity) -> Vec<Triple> {
    let mut triples = own(activity);
    triples.extend(fact(activity));
    triples.extend(described(&activity.entity));
    triples.extend(activity.to.iter().flat_map(described));
    triples
}

fn text(value: &str) -> Term {
    Literal::new_simple_literal(value).into()
}
