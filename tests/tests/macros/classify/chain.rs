//! The code of an error is that of its first known cause.

use super::*;

#[test]
fn first_known_cause_determines_the_code() {
    let missing = says(Code::NotFound, "user 7 not found");
    let error: Box<dyn Error> = opaque(opaque(UserError::Missing { id: 7 })).into();
    assert_eq!(told(&error), missing);
    let error: Box<dyn Error + Send> = Box::new(UserError::Missing { id: 7 });
    assert_eq!(told(&error), missing);
    let error: Arc<dyn Error + Send + Sync> = Arc::new(opaque(UserError::Missing { id: 7 }));
    assert_eq!(told(&error), missing);
    assert_eq!(told(&*error), missing);

    let outer: Box<dyn Error + Send + Sync> = StepError::caused_by(UserError::Taken).into();
    assert_eq!(outer.code(), Code::Internal);
}

#[test]
fn unknown_error_is_internal_and_hides_its_text() {
    let internal = says(Code::Internal, "internal error");
    let error: Box<dyn Error + Send + Sync> = Opaque(None).into();
    assert_eq!(told(&error), internal);
    let error: Box<dyn Error> = "a secret text".into();
    assert_eq!(told(&error), internal);
    assert_eq!(told(&anyhow::anyhow!("a secret text").context("another")), internal);
}

#[test]
fn anyhow_with_two_levels_of_context() {
    let user = Err::<(), _>(UserError::Io(ErrorKind::StorageFull.into()));
    let error = user.context("while saving").context("while updating").unwrap_err();
    assert_eq!(told(&error), says(Code::ResourceExhausted, "resource exhausted"));

    let number = "x".parse::<u8>().context("the age").with_context(|| "the form").unwrap_err();
    assert_eq!(number.code(), Code::InvalidArgument);

    let status = anyhow::Error::new(tonic::Status::unavailable("a secret text")).context("mail");
    assert_eq!(status.code(), Code::Unavailable);

    let boxed = anyhow::Error::from_boxed(Box::new(UserError::Taken)).context("boxed");
    assert_eq!(boxed.code(), Code::AlreadyExists);
}

#[test]
fn code_given_as_context_overrides_the_cause() {
    let error = anyhow::Error::new(UserError::Taken).context(Code::Aborted).context("while saving");
    assert_eq!(told(&error), says(Code::Aborted, "aborted"));
    assert_eq!(anyhow::anyhow!("a secret text").context(Code::NotFound).code(), Code::NotFound);
}

#[test]
fn eyre_report_means_its_first_known_cause() {
    let report = eyre::Report::new(UserError::Taken).wrap_err("while saving");
    assert_eq!(told(&report), says(Code::AlreadyExists, "already exists"));
    let status = eyre::Report::new(tonic::Status::unavailable("a secret text")).wrap_err("mail");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(told(&eyre::eyre!("a secret text").wrap_err("x")), says(Code::Internal, "internal error"));
    let report = eyre::Report::new(UserError::Taken).wrap_err(Code::Aborted).wrap_err("while saving");
    assert_eq!(told(&report), says(Code::Aborted, "aborted"));
}

#[test]
fn errors_of_a_function_body_are_found_too() {
    #[derive(Debug, Classify)]
    #[classify(code = DataLoss)]
    struct Local;

    impl fmt::Display for Local {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a secret text")
        }
    }

    impl Error for Local {}

    assert_eq!(anyhow::Error::new(Local).code(), Code::DataLoss);
}
