//! Who acts.

use graceful::backends::escaped;

use crate::exit::Problem;

/// The operator, as recorded. Nobody has verified the name.
#[derive(Debug)]
pub(crate) struct Operator {
    pub name: String,
}

impl Operator {
    /// The name that was given, otherwise the user of the operating system.
    pub(crate) fn of(given: Option<&str>) -> Result<Self, Problem> {
        match given.map(str::trim) {
            Some("") => Err(Problem::refused("`--as` has no value; expected a name")),
            Some(name) => Ok(Self { name: escaped(name).into_owned() }),
            None => {
                let user = whoami::username().map_err(|error| {
                    Problem::refused(format_args!(
                        "the operating system does not name the user ({error}); say who acts by `--as NAME`"
                    ))
                })?;
                Ok(Self { name: escaped(&user).into_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operator_without_a_name_is_the_user_of_the_process() {
        let given = Operator::of(Some("ada\n")).unwrap();
        assert_eq!(given.name, "ada");
        assert_eq!(Operator::of(None).unwrap().name, whoami::username().unwrap());
        Operator::of(Some(" ")).unwrap_err();
    }
}
