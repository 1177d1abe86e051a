//! Decides which names an expression may use, and when it is evaluated.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{
    Expr, ExprAsync, ExprAwait, ExprCall, ExprClosure, ExprPath, ExprReturn, ExprTry, FnArg, Macro, Pat,
    PatIdent, Signature,
    spanned::Spanned as _,
    visit::{self, Visit},
};

use crate::{
    errors::{at, nearest, suggestion, wrong},
    groups::parenthesised,
};

/// The names that an argument's expressions may use.
pub(crate) struct Scope {
    /// The names that the parameters bind, in order.
    pub(crate) parameters: Vec<Ident>,
    has_self: bool,
    /// The name that `#[async_trait]` gives to `self`, which it moves.
    self_alias: Option<Ident>,
}

/// What an expression needs.
pub(crate) struct Needs {
    pub(crate) phase: Phase,
    /// The parameters that it names.
    pub(crate) parameters: Vec<Ident>,
    /// The user's own `result`; a binding of it must have this span.
    pub(crate) result: Option<Ident>,
}

/// When an expression is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Before the body, which may move what it names.
    Entry,
    /// After it, from the `Ok` value.
    After,
}

impl Scope {
    pub(crate) fn new(signature: &Signature) -> Self {
        let mut scope = Self { parameters: Vec::new(), has_self: false, self_alias: None };
        for input in &signature.inputs {
            match input {
                FnArg::Receiver(_) => scope.has_self = true,
                FnArg::Typed(parameter) => scope.bind(&parameter.pat),
            }
        }
        scope
    }

    pub(crate) fn bind(&mut self, pattern: &Pat) {
        self.parameters.extend(bound_by(pattern));
    }

    /// Adds the names of a statement that rebinds a parameter: `let __self = self;`, `let Json(user) = __arg1;`.
    pub(crate) fn rebind(&mut self, pattern: &Pat) {
        for name in bound_by(pattern) {
            match name == "__self" {
                true => self.self_alias = Some(name),
                false => self.parameters.push(name),
            }
        }
    }

    /// Renames `self` in the expression to the name that it has where the expression is evaluated.
    pub(crate) fn localised(&self, expr: &Expr) -> Expr {
        let Some(alias) = &self.self_alias else { return expr.clone() };
        let renamed = renamed(expr.to_token_stream(), alias);
        syn::parse2(renamed).unwrap_or_else(|_| expr.clone())
    }

    pub(crate) fn has(&self, name: &Ident) -> bool {
        self.parameters.contains(name)
    }

    /// Whether the name means the `Ok` value; a parameter of that name takes precedence.
    fn means_value(&self, name: &Ident) -> bool {
        name == "result" && !self.has(name)
    }

    /// Returns when `expr` is evaluated, and which parameters it uses.
    ///
    /// # Errors
    /// Fails if it uses names that are not in scope, with one error per name.
    pub(crate) fn needs(&self, expr: &Expr) -> Result<Needs, Vec<darling::Error>> {
        let mut names = Names::default();
        names.visit_expr(expr);
        let mut errors: Vec<_> = names.leaving.iter().map(|(token, word)| at(*token, leaves(word))).collect();
        let mut needs = Needs { phase: Phase::Entry, parameters: Vec::new(), result: None };
        // The tokens of a macro call need not be expressions, so only the names in scope count.
        let in_macros = names.in_macros.into_iter().map(|name| (name, false));
        for (name, must_be_known) in names.used.into_iter().map(|name| (name, true)).chain(in_macros) {
            if self.means_value(&name) {
                needs.phase = Phase::After;
                needs.result = Some(name);
            } else if self.has(&name) || (name == "self" && self.has_self) {
                needs.parameters.push(name);
            } else if must_be_known && !self.in_scope(&name, &names.bound) {
                errors.push(wrong(&name, self.not_in_scope(&name)));
            }
        }
        if errors.is_empty() { Ok(needs) } else { Err(errors) }
    }

    /// The error of an argument that should name a parameter.
    pub(crate) fn no_parameter(&self, name: &Ident) -> String {
        let known: Vec<_> = self.parameters.iter().map(Ident::to_string).collect();
        let fix = nearest(&name.to_string(), &known.iter().map(String::as_str).collect::<Vec<_>>());
        let fix = fix.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        format!(
            "`tx` names the parameter that holds the open transaction, but there is no parameter `{name}`{fix}"
        )
    }

    /// The name in scope that was probably meant.
    fn near(&self, name: &Ident) -> Option<String> {
        let known: Vec<_> = self.parameters.iter().map(Ident::to_string).collect();
        let known = known.iter().map(String::as_str).chain(["result"]).chain(self.has_self.then_some("self"));
        suggestion(&name.to_string(), &known.collect::<Vec<_>>())
    }

    fn not_in_scope(&self, name: &Ident) -> String {
        let fix = if let Some(fix) = self.near(name) {
            fix
        } else if name == "error" || name == "err" {
            "to use the error, write a hook, as in `alert(err = path)`".to_owned()
        } else if name == "self" {
            format!("this function has none; an expression may use {}", self.known())
        } else if name == "off" {
            "only steps can be switched off: omit this argument instead".to_owned()
        } else {
            format!("an expression may use {}; local variables of the body are not available", self.known())
        };
        format!("`{name}` is not in scope here: {fix}")
    }

    /// Whether the expression uses a name that is neither in scope nor similar to one.
    pub(crate) fn is_unknown(&self, expr: &Expr) -> bool {
        let mut names = Names::default();
        names.visit_expr(expr);
        let mut unknown = names.used.iter().filter(|name| !self.in_scope(name, &names.bound));
        unknown.any(|name| self.near(name).is_none())
    }

    /// Whether the compiler will find the name.
    fn in_scope(&self, name: &Ident, bound: &HashSet<String>) -> bool {
        let own = self.means_value(name) || self.has(name) || (name == "self" && self.has_self);
        own || bound.contains(&name.to_string()) || (name != "self" && !looks_like_a_local(name))
    }

    /// The error of an expression in a string, which may be meant as a text.
    pub(crate) fn not_an_expression(&self, expr: &Expr) -> String {
        format!(
            "this text is read as a Rust expression, and `{}` uses a name that is not in scope: an expression may use {}; for a fixed text use a constant, as in `ALL_USERS`",
            expr.to_token_stream(),
            self.known()
        )
    }

    fn known(&self) -> String {
        let mut known: Vec<_> = self.parameters.iter().map(|name| format!("`{name}`")).collect();
        if self.has_self {
            known.insert(0, "`self`".to_owned());
        }
        let known = if known.is_empty() { "none here".to_owned() } else { known.join(", ") };
        format!("the parameters ({known}) and `result`, the `Ok` value")
    }
}

/// Renames every `self`, except in a path: in `self::key_of(user)` it is a module.
fn renamed(tokens: TokenStream, alias: &Ident) -> TokenStream {
    let mut output = TokenStream::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(tree) = rest.next() {
        let of_a_path = matches!(rest.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
        output.extend([match tree {
            TokenTree::Ident(name) if name == "self" && !of_a_path => {
                let mut alias = alias.clone();
                alias.set_span(alias.span().located_at(name.span()));
                TokenTree::Ident(alias)
            }
            TokenTree::Group(group) => {
                let mut renamed = Group::new(group.delimiter(), renamed(group.stream(), alias));
                renamed.set_span(group.span());
                parenthesised(TokenTree::Group(renamed))
            }
            tree => tree,
        }]);
    }
    output
}

fn leaves(word: &str) -> String {
    format!(
        "an expression is evaluated at once and outside of the handler's body, so it cannot use `{word}`: use a value that is available, or do this in a hook"
    )
}

/// Whether the name looks like a constant, which only the compiler can find.
fn looks_like_a_local(name: &Ident) -> bool {
    let name = name.to_string();
    name.trim_start_matches("r#").starts_with(|first: char| first.is_lowercase() || first == '_')
}

pub(crate) fn bound_by(pattern: &Pat) -> Vec<Ident> {
    let mut names = Names::default();
    names.visit_pat(pattern);
    names.bindings
}

#[derive(Default)]
struct Names {
    used: Vec<Ident>,
    bound: HashSet<String>,
    bindings: Vec<Ident>,
    in_macros: Vec<Ident>,
    /// The keywords that need the code around the expression, such as `return`.
    leaving: Vec<(Span, &'static str)>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let (None, Some(name)) = (&path.qself, path.path.get_ident()) {
            self.used.push(name.clone());
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        // `key_of(user)`: the function is an item, not a local.
        if !matches!(&*call.func, Expr::Path(path) if path.path.get_ident().is_some()) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        self.leaving.push((expr.await_token.span, ".await"));
        visit::visit_expr_await(self, expr);
    }

    fn visit_expr_try(&mut self, expr: &'ast ExprTry) {
        self.leaving.push((expr.question_token.span(), "?"));
        visit::visit_expr_try(self, expr);
    }

    fn visit_expr_return(&mut self, expr: &'ast ExprReturn) {
        self.leaving.push((expr.return_token.span, "return"));
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_async(&mut self, expr: &'ast ExprAsync) {
        let leaving = std::mem::take(&mut self.leaving);
        visit::visit_expr_async(self, expr);
        self.leaving = leaving;
    }

    fn visit_expr_closure(&mut self, expr: &'ast ExprClosure) {
        let leaving = std::mem::take(&mut self.leaving);
        visit::visit_expr_closure(self, expr);
        self.leaving = leaving;
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.bound.insert(pattern.ident.to_string());
        self.bindings.push(pattern.ident.clone());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        identifiers(call.tokens.clone(), &mut self.in_macros);
    }
}

/// Collects all identifiers in the tokens, including those that a text captures by `{name}`.
pub(crate) fn identifiers(tokens: TokenStream, found: &mut Vec<Ident>) {
    let mut after_dot = false;
    for tree in tokens {
        let dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
        match tree {
            TokenTree::Ident(name) if !after_dot => found.push(name),
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Literal(literal) => captured(&literal.to_string(), literal.span(), found),
            _ => {}
        }
        after_dot = dot;
    }
}

fn captured(literal: &str, span: proc_macro2::Span, found: &mut Vec<Ident>) {
    if !literal.ends_with('"') && !literal.ends_with('#') {
        return;
    }
    for after in literal.split('{').skip(1) {
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if syn::parse_str::<Ident>(&name).is_ok() {
            found.push(Ident::new(&name, span));
        }
    }
}
