//! The invisible groups around what a `macro_rules!` passes on. Once a macro has taken tokens apart, rustc forgets that they
//! group (rust-lang/rust#67062): `2 * $n`, with `1 + 1` for `$n`, would be `2 * 1 + 1`.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::{
    Expr, Type, TypeParen,
    token::Paren,
    visit_mut::{self, VisitMut},
};

/// Takes the groups out of a syntax tree. Its structure stays, and expressions are printed with the parentheses that it
/// needs; the tokens of macro calls are not taken apart.
pub(crate) struct Ungrouped;

impl VisitMut for Ungrouped {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        while let Expr::Group(group) = expr {
            *expr = std::mem::replace(&mut *group.expr, Expr::PLACEHOLDER);
        }
        visit_mut::visit_expr_mut(self, expr);
    }

    fn visit_type_mut(&mut self, visited: &mut Type) {
        while let Type::Group(group) = visited {
            let elem = group.elem.clone();
            // Types are printed as they are, and `&dyn A + B` is none.
            *visited = match has_bounds(&elem) {
                true => Type::Paren(TypeParen { attrs: Vec::new(), paren_token: Paren::default(), elem }),
                false => *elem,
            };
        }
        visit_mut::visit_type_mut(self, visited);
    }
}

/// Tokens that are passed on without being understood: what binds loosely is put in parentheses.
pub(crate) fn parenthesised(tree: TokenTree) -> TokenTree {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None && binds_loosely(&group) => {
            let mut parentheses = Group::new(Delimiter::Parenthesis, group.stream());
            // Not the user's parentheses, so that the compiler does not report them as unnecessary.
            parentheses.set_span(Span::mixed_site().located_at(group.span()));
            TokenTree::Group(parentheses)
        }
        tree => tree,
    }
}

fn binds_loosely(group: &Group) -> bool {
    let tokens = || -> TokenStream { group.stream() };
    match syn::parse2::<Expr>(tokens()) {
        Ok(expr) => is_loose(&expr),
        Err(_) => syn::parse2::<Type>(tokens()).is_ok_and(|parsed| has_bounds(&parsed)),
    }
}

/// Whether the expression means another thing, or none, where it stands without parentheses.
fn is_loose(expr: &Expr) -> bool {
    match expr {
        // A macro may pass on what another one has passed on.
        Expr::Group(group) => is_loose(&group.expr),
        Expr::Binary(_)
        | Expr::Break(_)
        | Expr::Cast(_)
        | Expr::Closure(_)
        | Expr::Range(_)
        | Expr::Reference(_)
        | Expr::Return(_)
        | Expr::Unary(_) => true,
        expr => begins_with_a_literal(expr),
    }
}

/// `Point { x: 1 }`, `Point { x: 1 }.x`: in the condition of an `if` or a `while`, and after `match` and `in`, the braces are
/// those of the block.
fn begins_with_a_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Struct(_) => true,
        Expr::Await(of) => begins_with_a_literal(&of.base),
        Expr::Call(of) => begins_with_a_literal(&of.func),
        Expr::Field(of) => begins_with_a_literal(&of.base),
        Expr::Index(of) => begins_with_a_literal(&of.expr),
        Expr::MethodCall(of) => begins_with_a_literal(&of.receiver),
        Expr::Try(of) => begins_with_a_literal(&of.expr),
        _ => false,
    }
}

/// `dyn A + B`, `impl A + B`
fn has_bounds(of: &Type) -> bool {
    match of {
        Type::TraitObject(object) => object.bounds.len() > 1,
        Type::ImplTrait(opaque) => opaque.bounds.len() > 1,
        _ => false,
    }
}
