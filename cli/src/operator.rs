//! Who acts.

use std::env;
#[cfg(unix)]
use std::fs;

use graceful::backends::escaped;

use crate::exit::Problem;

/// The operator, as recorded. Nobody has verified the name.
#[derive(Debug)]
pub(crate) struct Operator {
    pub name: String,
    /// Where the name comes from.
    pub source: &'static str,
}

impl Operator {
    /// The name that was given, otherwise the user of the operating system.
    pub(crate) fn of(given: Option<&str>) -> Result<Self, Problem> {
        match given.map(str::trim) {
            Some("") => Err(Problem::refused("`--as` has no value; expected a name")),
            Some(name) => Ok(Self { name: escaped(name).into_owned(), source: "--as" }),
            None => {
                let user = user().ok_or_else(|| {
                    Problem::refused(
                        "the operating system does not name the user; say who acts by `--as NAME`",
                    )
                })?;
                Ok(Self { name: escaped(&user).into_owned(), source: "operating system" })
            }
        }
    }
}

fn user() -> Option<String> {
    let by_environment = || {
        let set = ["USER", "LOGNAME", "USERNAME"].into_iter().filter_map(|name| env::var(name).ok());
        set.map(|name| name.trim().to_owned()).find(|name| !name.is_empty())
    };
    user_of_process().or_else(by_environment)
}

/// The owner of this process, where `/proc` says so: an environment can be that of another user.
#[cfg(unix)]
fn user_of_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let id = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, user) = (fields.next()?, fields.next()?, fields.next()?);
        (user == id).then(|| name.to_owned())
    });
    Some(named.unwrap_or_else(|| format!("uid {id}")))
}

#[cfg(not(unix))]
fn user_of_process() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operator_without_a_name_is_the_user_of_the_process() {
        let given = Operator::of(Some("ada\n")).unwrap();
        assert_eq!((&*given.name, given.source), ("ada", "--as"));
        assert_eq!(Operator::of(None).unwrap().source, "operating system");
        Operator::of(Some(" ")).unwrap_err();
    }
}
