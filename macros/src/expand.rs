//! From the attribute and the function to what replaces them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::TypeReference;

use crate::args::{Errors, Request};
use crate::attributes::{has_test, name_of, should_panic};
use crate::claims::{claim, report_left_over};
use crate::signature::{Function, Parameter};
use crate::Daemon;

/// Expands the outermost of our attributes, and with it all others that are on the function.
pub(crate) fn expand(daemon: Daemon, args: TokenStream, item: TokenStream) -> TokenStream {
    let parser = |input: ParseStream<'_>| Function::parse(input, daemon.attribute);
    let mut function = match parser.parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let mut requests = vec![Request::outermost(daemon, args, &mut errors)];
    function.attributes.retain(|attribute| {
        let ours = name_of(attribute.path()).and_then(|name| Daemon::named(&name));
        if let Some(daemon) = ours {
            requests.push(Request::found(daemon, attribute, &mut errors));
        }
        ours.is_none()
    });

    for cfg in function.parameters.iter().filter_map(Parameter::cfg) {
        let message = "a parameter can't be conditional here: put the condition on the function";
        errors.push(syn::Error::new_spanned(cfg, message));
    }
    let claims = claim(&requests, &function, &mut errors);
    if !has_test(&function.attributes) {
        if let Some(outermost) = requests.first() {
            errors.push(no_test(outermost, &function));
        }
    }
    if errors.is_empty() {
        report_left_over(&requests, &function, &claims, &mut errors);
    }
    match errors.report() {
        None => whole(&function, &requests, &claims),
        Some(errors) => {
            let stub = stub(&function, &requests);
            quote!(#stub #errors)
        }
    }
}

fn no_test(request: &Request, function: &Function) -> syn::Error {
    let (test, keyword) = if function.is_async() {
        ("tokio::test", "async fn")
    } else {
        ("test", "fn")
    };
    request.error(format!(
        "no test attribute below `{shown}`, where it has to be:\n\n    {shown}\n    #[{test}]\n    \
         {keyword} {name}({parameter}) {{ … }}\n\n\
         In place of `#[{test}]` there may be another one, such as `#[rstest]`.",
        shown = request.shown(),
        name = function.name(),
        parameter = request.suggested_parameter(),
    ))
}

/// The function that starts the daemons and calls the user's.
fn whole(function: &Function, requests: &[Request], claims: &[Option<usize>]) -> TokenStream {
    let site = Span::mixed_site();
    let claimant = |at| claims.iter().position(|claim| *claim == Some(at));
    let starts = starts(function, requests, claims);
    let mut kept = TokenStream::new();
    let mut arguments = Vec::new();
    for (at, parameter) in function.parameters.iter().enumerate() {
        arguments.push(match claimant(at) {
            // At the type's own place, where rustc says that it is another one.
            Some(index) => {
                let value = daemon(index, site.located_at(parameter.ty.span()));
                match parameter.borrow() {
                    Some(TypeReference {
                        and_token, mutability, ..
                    }) => quote!(#and_token #mutability #value),
                    None => quote!(#value),
                }
            }
            // Its own name could mean the inner function, in whose scope the call is.
            None => {
                let (value, name) = (format_ident!("argument_{at}", span = site), parameter.outer_name());
                kept.extend(quote_spanned!(site=> let #value = #name;));
                quote!(#value)
            }
        });
    }
    let (inner, call) = (function.inner(), function.call(&arguments));
    let mentions = requests.iter().filter_map(Request::mention);
    let body = quote_spanned! {site=>
        #(#mentions)*
        #starts
        #kept
        {
            // Those look at a signature that is not for the user to choose: a handle by value that is not given away,
            // a `Result` for the `?` in an option, an `async` for a runtime's attribute.
            #[allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, clippy::unused_async)]
            #inner
            #call
        }
    };
    function.outer(|at, _| claimant(at).is_none(), &body)
}

/// The statements that start the daemons: several of them at the same time.
fn starts(function: &Function, requests: &[Request], claims: &[Option<usize>]) -> TokenStream {
    // Where it returns something rustc refuses `#[should_panic]`, and needs no further errors that follow from this.
    let should_panic = function.returns_unit() && should_panic(&function.attributes);
    let alone = requests.len() == 1;
    let (mut begins, mut finishes) = (TokenStream::new(), TokenStream::new());
    for (index, request) in requests.iter().enumerate() {
        let site = Span::mixed_site();
        let starting = format_ident!("starting_{index}", span = site);
        // The calls that may panic stand at the attribute's place: that is the location the panic names.
        let span = request.span;
        let (builder, support) = (request.builder(), request.support());
        if !alone {
            begins.extend(quote_spanned!(site=> let #starting = #support::begin(#builder);));
        }
        let value = match (should_panic, alone) {
            (false, true) => quote_spanned!(span=> #support::start(#builder)),
            (false, false) => quote_spanned!(span=> #starting.finish()),
            (true, true) => or_return(quote_spanned!(site=> #support::try_start(#builder))),
            (true, false) => or_return(quote_spanned!(site=> #starting.try_finish())),
        };
        let mutability = (claims.get(index).copied().flatten())
            .and_then(|at| function.parameters.get(at)?.borrow()?.mutability.as_ref());
        let daemon = daemon(index, site);
        finishes.extend(quote_spanned!(site=> let #mutability #daemon = #value;));
    }
    quote!(#begins #finishes)
}

/// The daemon, or the end of the test: without the panic that it is for it fails.
fn or_return(started: TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        match #started {
            ::core::option::Option::Some(daemon) => daemon,
            ::core::option::Option::None => return,
        }
    }
}

fn daemon(index: usize, span: Span) -> Ident {
    format_ident!("daemon_{index}", span = span)
}

/// What stands beside the errors, so that the body is still checked and nothing more is reported of the parameters.
fn stub(function: &Function, requests: &[Request]) -> TokenStream {
    let mentions = requests.iter().filter_map(Request::mention);
    let inner = function.inner();
    let body = quote!(#(#mentions)* #inner ::core::unreachable!());
    let outer = function.outer(|_, parameter| parameter.taken_by().is_some(), &body);
    quote! {
        #[allow(dead_code, unreachable_code, unused_variables)]
        #outer
    }
}
