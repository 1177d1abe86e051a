//! Types with the derive.

use super::*;

#[test]
fn enums() {
    assert_eq!(told(&UserError::Missing { id: 7 }), says(Code::NotFound, "user 7 not found"));
    assert_eq!(told(&UserError::Taken), says(Code::AlreadyExists, "already exists"));
    let io = UserError::Io(ErrorKind::PermissionDenied.into());
    assert_eq!(told(&io), says(Code::PermissionDenied, "permission denied"));
}

#[test]
fn structs() {
    #[derive(Classify)]
    #[classify(code = Unavailable)]
    struct Unit;

    #[derive(Classify)]
    #[classify(message = "{0} of {1}, {0} {{of}} {1}")]
    #[classify(code = graceful::Code::OutOfRange)]
    struct Tuple(u8, &'static str);

    #[derive(Classify)]
    #[classify(code = Internal, message = "{{}}")]
    struct Named {
        _id: u8,
    }

    #[derive(Classify)]
    #[classify(transparent)]
    struct Wrapper {
        inner: UserError,
    }

    assert_eq!(told(&Unit), says(Code::Unavailable, "unavailable"));
    assert_eq!(told(&Tuple(3, "x")), says(Code::OutOfRange, "3 of x, 3 {of} x"));
    assert_eq!(told(&Named { _id: 1 }), says(Code::Internal, "{}"));
    assert_eq!(
        told(&Wrapper { inner: UserError::Missing { id: 7 } }),
        says(Code::NotFound, "user 7 not found")
    );
}

#[test]
fn every_code_can_be_named() {
    #[derive(Clone, Copy, Classify)]
    enum Each {
        #[classify(code = Cancelled)]
        Cancelled,
        #[classify(code = Unknown)]
        Unknown,
        #[classify(code = InvalidArgument)]
        InvalidArgument,
        #[classify(code = DeadlineExceeded)]
        DeadlineExceeded,
        #[classify(code = NotFound)]
        NotFound,
        #[classify(code = AlreadyExists)]
        AlreadyExists,
        #[classify(code = PermissionDenied)]
        PermissionDenied,
        #[classify(code = ResourceExhausted)]
        ResourceExhausted,
        #[classify(code = FailedPrecondition)]
        FailedPrecondition,
        #[classify(code = Aborted)]
        Aborted,
        #[classify(code = OutOfRange)]
        OutOfRange,
        #[classify(code = Unimplemented)]
        Unimplemented,
        #[classify(code = Internal)]
        Internal,
        #[classify(code = Unavailable)]
        Unavailable,
        #[classify(code = DataLoss)]
        DataLoss,
        #[classify(code = Unauthenticated)]
        Unauthenticated,
    }

    use Each::*;
    let each = [
        Cancelled,
        Unknown,
        InvalidArgument,
        DeadlineExceeded,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Aborted,
        OutOfRange,
        Unimplemented,
        Internal,
        Unavailable,
        DataLoss,
        Unauthenticated,
    ];
    assert_eq!(each.map(|each| each.code()), Code::ALL[1..]);
}

#[test]
fn generics_ask_only_for_what_is_used() {
    #[derive(Classify)]
    enum Generic<'a, T, U, const N: usize>
    where
        T: 'a,
    {
        #[classify(transparent)]
        Inner(T),
        #[classify(code = Aborted, message = "{shown}")]
        Shown { shown: &'a str, _hidden: [U; N] },
    }

    #[derive(Classify)]
    #[classify(code = Aborted, message = "{value}")]
    struct Projected<I: Iterator> {
        value: I::Item,
    }

    struct Mute;
    assert_eq!(
        told(&Generic::<_, Mute, 0>::Inner(UserError::Taken)),
        says(Code::AlreadyExists, "already exists")
    );
    let shown: Generic<'_, Code, _, 1> = Generic::Shown { shown: "x", _hidden: [Mute] };
    assert_eq!(told(&shown), says(Code::Aborted, "x"));

    assert_eq!(Projected::<std::ops::Range<u8>> { value: 7 }.message(), "7");
}

#[test]
fn an_enum_without_variants() {
    #[derive(Classify)]
    enum Never {}

    let _: fn(&Never) -> Code = Classify::code;
}

#[test]
fn made_by_a_macro() {
    macro_rules! error {
        ($name:ident { $($variant:ident: $code:ident, $text:literal;)* } $path:path) => {
            #[derive(Classify)]
            enum $name {
                $(#[classify(code = $code, message = $text)] $variant,)*
                #[classify(code = $path)]
                Other,
            }
        };
    }
    error!(Made { Gone: NotFound, "gone"; } Code::Aborted);
    assert_eq!(told(&Made::Gone), says(Code::NotFound, "gone"));
    assert_eq!(told(&Made::Other), says(Code::Aborted, "aborted"));
}

#[test]
fn raw_names() {
    #[derive(Classify)]
    #[allow(non_camel_case_types)]
    enum r#Raw {
        #[classify(code = Aborted, message = "of type {type}")]
        r#match { r#type: u8 },
    }
    assert_eq!(Raw::r#match { r#type: 7 }.message(), "of type 7");
}
