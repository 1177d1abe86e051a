//! Groups of alerts: one notice is sent per group.

use std::collections::BTreeMap;

use graceful::{
    Code, Flow, Key, Severity, Text,
    backends::{Alert, Count},
};
use jiff::Timestamp;
use uuid::Uuid;

/// What the alerts of one notice have in common. Any number of entities with the same failure are one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    pub service: Text,
    pub environment: Text,
    pub pattern: Text,
    /// The handler's identity, or the incident that it shares.
    pub owner: Text,
    pub code: Code,
    pub severity: Severity,
}

/// The summary of a group, which is sent to the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub group: Group,
    /// When it first fired.
    pub since: Timestamp,
    /// When it last fired.
    pub last: Timestamp,
    pub resolved_at: Option<Timestamp>,
    /// The number of alerts of entities.
    pub singles: u64,
    /// Whether further entities fail, which have no alert of their own: the summary of a storm is one of the alerts.
    pub has_more: bool,
    /// The number of failed flows.
    pub count: u64,
    /// The message of the last flow; also `entity` and `flow` are those of the last flow.
    pub message: Text,
    pub entity: Key,
    pub flow: Uuid,
}

impl Group {
    pub fn of_flow(flow: &Flow, severity: Severity) -> Self {
        Self {
            service: flow.service().into(),
            environment: flow.environment().into(),
            pattern: flow.pattern().into(),
            owner: flow.incident().owner().clone(),
            code: flow.code(),
            severity,
        }
    }

    pub fn of(alert: &Alert) -> Self {
        Self {
            service: alert.entity.service().into(),
            environment: alert.environment.clone(),
            pattern: alert.entity.pattern().into(),
            owner: alert.owner.clone(),
            code: alert.code,
            severity: alert.severity,
        }
    }
}

/// Groups the alerts.
pub fn grouped<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> BTreeMap<Group, Notice> {
    let mut groups: BTreeMap<Group, Notice> = BTreeMap::new();
    for alert in alerts {
        let group = Group::of(alert);
        match groups.get_mut(&group) {
            Some(notice) => notice.add(alert),
            None => {
                let notice = Notice::of(group.clone(), alert);
                groups.insert(group, notice);
            }
        }
    }
    groups
}

impl Notice {
    /// The number of failing entities.
    pub fn entities(&self) -> Count {
        match self.has_more {
            true => Count::at_least(self.singles.max(1)),
            false => Count::exact(self.singles),
        }
    }

    fn of(group: Group, alert: &Alert) -> Self {
        Self {
            group,
            since: alert.fired_at,
            last: alert.last_fired_at,
            resolved_at: None,
            singles: u64::from(!alert.summary),
            has_more: alert.summary,
            count: alert.count,
            message: alert.message.clone(),
            entity: alert.entity.clone(),
            flow: alert.flow,
        }
    }

    fn add(&mut self, alert: &Alert) {
        self.since = self.since.min(alert.fired_at);
        self.singles += u64::from(!alert.summary);
        self.has_more |= alert.summary;
        self.count += alert.count;
        if alert.last_fired_at >= self.last {
            self.last = alert.last_fired_at;
            (self.message, self.entity, self.flow) =
                (alert.message.clone(), alert.entity.clone(), alert.flow);
        }
    }
}

#[cfg(test)]
mod tests {
    use graceful::Incident;

    use super::*;

    fn alert(id: &str, code: Code, severity: Severity, fired: i64, last: i64) -> Alert {
        let at = |second| Timestamp::from_second(second).unwrap();
        let incident = Incident::new(Key::new("users", None, "user", id), "update_user");
        let mut alert = Alert::new(&incident, severity, code, Uuid::nil(), at(fired));
        (alert.environment, alert.message) = ("test".into(), id.into());
        (alert.count, alert.last_fired_at) = (2, at(last));
        alert
    }

    #[test]
    fn entities_that_fail_alike_are_one_group() {
        let alerts = [
            alert("1", Code::Internal, Severity::Error, 2, 9),
            alert("2", Code::Internal, Severity::Error, 1, 3),
            alert("3", Code::DataLoss, Severity::Error, 1, 1),
            alert("4", Code::Internal, Severity::Critical, 1, 1),
        ];
        let groups = grouped(&alerts);
        assert_eq!(groups.len(), 3);
        let notice = &groups[&Group::of(&alerts[0])];
        assert_eq!((notice.entities(), notice.count, notice.message.as_str()), (Count::exact(2), 4, "1"));
        assert_eq!((notice.since.as_second(), notice.last.as_second()), (1, 9));
    }

    #[test]
    fn summary_of_a_storm_is_in_the_group_of_its_alerts() {
        let single = alert("1", Code::Internal, Severity::Error, 1, 1);
        let storm = single.incident().storm(Code::Internal);
        let mut summary = Alert::new(&storm, Severity::Error, Code::Internal, Uuid::nil(), single.fired_at);
        (summary.environment, summary.count) = ("test".into(), 30);
        let groups = grouped([&single, &summary]);
        assert_eq!(groups.len(), 1);
        let notice = &groups[&Group::of(&single)];
        assert_eq!((notice.entities(), notice.count), (Count::at_least(1), 32));
        let alone = Notice::of(Group::of(&summary), &summary);
        assert_eq!(alone.entities(), Count::at_least(1));
    }

    #[test]
    fn failures_of_two_handlers_are_two_groups() {
        let pay = alert("1", Code::Internal, Severity::Error, 1, 1);
        let mut read = pay.clone();
        read.owner = "read".into();
        assert_eq!(grouped([&pay, &read]).len(), 2);
    }
}
