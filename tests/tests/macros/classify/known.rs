//! The codes of errors of the standard library and of known crates.

use super::*;

#[test]
fn io_errors_go_by_their_kind() {
    for (kind, code) in [
        (ErrorKind::NotFound, Code::NotFound),
        (ErrorKind::PermissionDenied, Code::PermissionDenied),
        (ErrorKind::AlreadyExists, Code::AlreadyExists),
        (ErrorKind::InvalidInput, Code::InvalidArgument),
        (ErrorKind::InvalidData, Code::DataLoss),
        (ErrorKind::TimedOut, Code::DeadlineExceeded),
        (ErrorKind::ConnectionRefused, Code::Unavailable),
        (ErrorKind::StorageFull, Code::ResourceExhausted),
        (ErrorKind::ReadOnlyFilesystem, Code::FailedPrecondition),
        (ErrorKind::Unsupported, Code::Unimplemented),
        (ErrorKind::Deadlock, Code::Aborted),
        (ErrorKind::Interrupted, Code::Internal),
    ] {
        assert_eq!(told(&io::Error::new(kind, "a secret text")), says(code, code.text()), "{kind}");
    }
}

#[test]
fn io_error_without_a_kind_is_classified_by_its_cause() {
    assert_eq!(io::Error::other(UserError::Missing { id: 7 }).code(), Code::NotFound);
    assert_eq!(io::Error::other(opaque(UserError::Taken)).code(), Code::AlreadyExists);
    assert_eq!(io::Error::other("a secret text").code(), Code::Internal);
    // The kind was chosen by whoever wrapped it.
    assert_eq!(io::Error::new(ErrorKind::TimedOut, UserError::Taken).code(), Code::DeadlineExceeded);
}

#[test]
fn parse_error_is_an_invalid_argument() {
    let errors: [&dyn Classify; 6] = [
        &"x".parse::<u8>().unwrap_err(),
        &"x".parse::<f64>().unwrap_err(),
        &"x".parse::<bool>().unwrap_err(),
        &"x".parse::<std::net::IpAddr>().unwrap_err(),
        &str::from_utf8(&[255, u8::from(true)]).unwrap_err(),
        &String::from_utf8(vec![255]).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(told(error), says(Code::InvalidArgument, "invalid argument"));
    }
    assert_eq!(u8::try_from(256_i32).unwrap_err().code(), Code::OutOfRange);
}

#[test]
fn json_errors_go_by_their_category() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }

    let syntax = serde_json::from_str::<u8>("{").unwrap_err();
    let eof = serde_json::from_str::<u8>("").unwrap_err();
    let data = serde_json::from_str::<u8>("true").unwrap_err();
    assert_eq!([syntax.code(), eof.code(), data.code()], [Code::InvalidArgument; 3]);

    assert_eq!(serde_json::from_reader::<_, u8>(Broken).unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn tasks_and_time() {
    let elapsed = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(elapsed.code(), Code::DeadlineExceeded);

    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    assert_eq!(task.await.unwrap_err().code(), Code::Cancelled);

    let task = tokio::spawn(async { panic!("a secret text") });
    assert_eq!(told(&task.await.unwrap_err()), says(Code::Internal, "internal error"));
}

#[test]
fn poisoned_lock_is_internal() {
    let lock = Mutex::new(());
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _held = lock.lock();
            panic!("poisons the lock")
        });
        holder.join().unwrap_err();
    });
    assert_eq!(lock.lock().map(drop).unwrap_err().code(), Code::Internal);
}

#[test]
fn the_rest_of_the_core() {
    assert_eq!(fmt::Error.code(), Code::Internal);
    assert_eq!(StepError::new("a secret text").code(), Code::Internal);
    assert_eq!(told(&Code::Aborted), says(Code::Aborted, "aborted"));
}

#[test]
fn pointers_ask_what_they_point_at() {
    let missing = says(Code::NotFound, "user 7 not found");
    assert_eq!(told(&&UserError::Missing { id: 7 }), missing);
    assert_eq!(told(&Box::new(UserError::Missing { id: 7 })), missing);
    assert_eq!(told(&Arc::new(UserError::Missing { id: 7 })), missing);
    let any: Box<dyn Classify> = Box::new(UserError::Missing { id: 7 });
    assert_eq!(told(&any), missing);
}

#[test]
fn http_statuses() {
    use http::{Response, StatusCode};

    assert_eq!(told(&StatusCode::NOT_FOUND), says(Code::NotFound, "not found"));
    assert_eq!((StatusCode::FORBIDDEN, "a secret text").code(), Code::PermissionDenied);
    assert_eq!((StatusCode::SERVICE_UNAVAILABLE, (), "a secret text").code(), Code::Unavailable);
    let mut response = Response::new("a secret text");
    *response.status_mut() = StatusCode::CONFLICT;
    assert_eq!(response.code(), Code::Aborted);
    // An early answer is no fault, and still no success.
    assert_eq!((StatusCode::SEE_OTHER, ()).code(), Code::FailedPrecondition);
}

#[test]
fn every_tonic_code_has_its_twin() {
    for code in Code::ALL {
        let status = tonic::Status::new(tonic::Code::from(code as i32), "a secret text");
        assert_eq!(told(&status), says(code, code.text()));
    }
}
