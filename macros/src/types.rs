//! How handle types are recognised: by the last segment of their paths.

use quote::ToTokens;
use syn::{PathSegment, Type, TypeReference};

/// The last segment of a path type, or of the path type behind a reference.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    let ty = as_reference(ty).map_or(ty, |reference| &reference.elem);
    match without_parentheses(ty) {
        Type::Path(ty) => ty.path.segments.last(),
        _ => None,
    }
}

pub(crate) fn as_reference(ty: &Type) -> Option<&TypeReference> {
    match without_parentheses(ty) {
        Type::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// Whether two path segments name the same handle.
///
/// `Daemon<A>` and `Daemon<B>` are different handles. A plain `Daemon` matches both, since it may
/// be an alias or have default arguments.
pub(crate) fn name_same_handle(one: &PathSegment, other: &PathSegment) -> bool {
    let text = |segment: &PathSegment| segment.arguments.to_token_stream().to_string();
    one.ident == other.ident && (one.arguments.is_none() || other.arguments.is_none() || text(one) == text(other))
}

/// The segment as a person would write it: `Daemon<A>`, where its tokens print as `Daemon < A >`.
pub(crate) fn segment_text(segment: &PathSegment) -> String {
    segment
        .to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
}

/// The type without the parentheses, visible or not, that a macro may have put around it.
fn without_parentheses(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            ty => return ty,
        };
    }
}
