//! Expands the attributes on a function.
//!
//! The user's function moves into an outer function of the same name, which starts the daemons and
//! passes them on.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::TypeReference;

use crate::assignment::Assignment;
use crate::attributes::{has_test_attribute, last_name, should_panic};
use crate::dependencies::{names_in_options, Dependencies};
use crate::errors::Errors;
use crate::function::Function;
use crate::parameter::Parameter;
use crate::request::DaemonRequest;
use crate::DaemonKind;

/// Expands an attribute of this kind together with all of ours below it, so that their daemons can
/// start at the same time.
pub(crate) fn expand(kind: DaemonKind, args: TokenStream, item: TokenStream) -> TokenStream {
    let parser = |input: ParseStream<'_>| Function::parse(input, kind.attribute);
    let mut function = match parser.parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let mut requests = vec![DaemonRequest::expanded(kind, args, &mut errors)];
    function.attributes.retain(|attribute| {
        let kind = last_name(attribute.path()).and_then(|name| DaemonKind::of_attribute(&name));
        if let Some(kind) = kind {
            requests.push(DaemonRequest::from_attribute(kind, attribute, &mut errors));
        }
        kind.is_none()
    });

    for cfg in function.parameters.iter().filter_map(Parameter::cfg) {
        let message = "a parameter can't be conditional here: put the condition on the function";
        errors.push(syn::Error::new_spanned(cfg, message));
    }
    function.note_options(&names_in_options(&requests));
    let assignment = Assignment::new(&requests, &function, &mut errors);
    let dependencies = Dependencies::new(&requests, &function, &assignment, &mut errors);
    if !has_test_attribute(&function.attributes) {
        if let Some(outermost) = requests.first() {
            errors.push(missing_test_attribute(outermost, &function));
        }
    }
    if errors.is_empty() {
        assignment.report_unfilled(&requests, &function, &mut errors);
    }
    match errors.into_compile_errors() {
        None => outer_function(&function, &requests, &assignment, &dependencies),
        Some(errors) => {
            let stub = stub(&function, &requests);
            quote!(#stub #errors)
        }
    }
}

fn missing_test_attribute(request: &DaemonRequest, function: &Function) -> syn::Error {
    let (test, keyword) = if function.is_async() {
        ("tokio::test", "async fn")
    } else {
        ("test", "fn")
    };
    request.error(format!(
        "`{attribute}` needs a test attribute below it:\n\n    {attribute}\n    #[{test}]\n    \
         {keyword} {name}({parameter}) {{ … }}\n\n\
         Another test attribute, such as `#[rstest]`, works as well.",
        attribute = request.example(None),
        name = function.name(),
        parameter = request.example_parameter(),
    ))
}

/// The function that starts the daemons and calls the user's.
fn outer_function(
    function: &Function,
    requests: &[DaemonRequest],
    assignment: &Assignment,
    dependencies: &Dependencies,
) -> TokenStream {
    let site = Span::mixed_site();
    let mut bindings = TokenStream::new();
    let mut arguments = Vec::new();
    for (index, parameter) in function.parameters.iter().enumerate() {
        if let Some(request) = assignment.request_for(index) {
            arguments.push(daemon_argument(request, parameter));
        } else {
            // The parameter may have the name of the inner function, which is in scope at the call.
            let variable = format_ident!("argument_{index}", span = site);
            let name = &parameter.outer_name;
            bindings.extend(quote_spanned!(site=> let #variable = #name;));
            arguments.push(quote!(#variable));
        }
    }
    let starts = start_statements(function, requests, assignment, dependencies);
    let support = requests.first().map(DaemonRequest::support_module);
    let (inner, call) = (function.inner(support.as_ref()), function.call(&arguments));
    let (name, should_panic) = (function.name(), passes_by_panicking(function));
    let uses = requests.iter().filter_map(DaemonRequest::use_of_path);
    let body = quote_spanned! {site=>
        #(#uses)*
        let test = #support::enter_test(
            ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name)), #should_panic
        );
        #starts
        #bindings
        test.begin();
        {
            // The macro dictates part of the signature: a handle by value that is not moved, a
            // `Result` for the `?` in an option, `async` for the attribute of a runtime.
            #[allow(
                clippy::needless_pass_by_value, clippy::unnecessary_wraps, clippy::unused_async
            )]
            #inner
            #call
        }
    };
    function.outer(|index, _| assignment.request_for(index).is_none(), &body)
}

fn passes_by_panicking(function: &Function) -> bool {
    // rustc rejects `#[should_panic]` on a function that returns a value: that one error is enough.
    function.returns_unit() && should_panic(&function.attributes)
}

/// The daemon as an argument for the parameter: `daemon`, `&daemon` or `&mut daemon`.
fn daemon_argument(request: usize, parameter: &Parameter) -> TokenStream {
    // With this span, rustc reports a mismatch at the type that the user wrote.
    let span = Span::mixed_site().located_at(parameter.ty.span());
    let daemon = daemon_variable(request, span);
    match parameter.borrow() {
        Some(TypeReference {
            and_token, mutability, ..
        }) => quote!(#and_token #mutability #daemon),
        None => quote!(#daemon),
    }
}

/// The statements that start the daemons, all that can at the same time.
fn start_statements(
    function: &Function,
    requests: &[DaemonRequest],
    assignment: &Assignment,
    dependencies: &Dependencies,
) -> TokenStream {
    let should_panic = passes_by_panicking(function);
    let is_only = requests.len() == 1;
    let parameter_of = |index: usize| {
        let parameter = assignment.parameter_of(index);
        parameter.and_then(|parameter| function.parameters.get(parameter))
    };
    let (mut statements, mut pending): (TokenStream, Vec<(usize, TokenStream)>) = Default::default();
    // A circle was reported before.
    for index in dependencies.order().unwrap_or_default() {
        let Some(request) = requests.get(index) else {
            continue;
        };
        let site = Span::mixed_site();
        let (needed, others) = pending
            .into_iter()
            .partition(|(other, _)| dependencies.of(index).contains(other));
        pending = others;
        let needed: Vec<(usize, TokenStream)> = needed;
        statements.extend(needed.into_iter().map(|(_, finish)| finish));
        // Under the names that the options know them by.
        let names = dependencies.of(index).iter().filter_map(|other| {
            let (name, daemon) = (parameter_of(*other)?.name()?, daemon_variable(*other, site));
            Some(quote_spanned!(site=> #[allow(unused_variables)] let #name = &#daemon;))
        });
        let names: TokenStream = names.collect();
        let starting = format_ident!("starting_{index}", span = site);
        // A call that may panic has the attribute's span, so that the panic names its line.
        let span = request.span;
        let (builder, support) = (request.builder(), request.support_module());
        let builder = match names.is_empty() {
            true => builder,
            false => quote_spanned!(site=> { #names #builder }),
        };
        let started = if request.is_part() && function.is_async() {
            quote_spanned!(site=> #builder.start_async().await)
        } else if is_only || request.is_part() {
            quote_spanned!(site=> #builder.start())
        } else {
            statements.extend(quote_spanned! {site=>
                let #starting = {
                    let builder = #builder;
                    #support::begin(move || builder.start())
                };
            });
            quote_spanned!(site=> #starting.finish())
        };
        let value = if should_panic {
            or_return(quote_spanned!(site=> #support::or_print(#started)))
        } else {
            quote_spanned!(span=> #support::or_fail(#started))
        };
        let mutability = parameter_of(index).and_then(|parameter| parameter.borrow()?.mutability.as_ref());
        let daemon = daemon_variable(index, site);
        pending.push((index, quote_spanned!(site=> let #mutability #daemon = #value;)));
    }
    statements.extend(pending.into_iter().map(|(_, finish)| finish));
    statements
}

/// Unwraps a started daemon, or returns from the test: without a panic, `#[should_panic]` fails it.
fn or_return(started: TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        match #started {
            ::core::option::Option::Some(daemon) => daemon,
            ::core::option::Option::None => return,
        }
    }
}

fn daemon_variable(request: usize, span: Span) -> Ident {
    format_ident!("daemon_{request}", span = span)
}

/// What the function becomes when there are errors: rustc still checks its body, and reports
/// nothing more about its parameters.
fn stub(function: &Function, requests: &[DaemonRequest]) -> TokenStream {
    let uses = requests.iter().filter_map(DaemonRequest::use_of_path);
    let inner = function.inner(None);
    let body = quote!(#(#uses)* #inner ::core::unreachable!());
    let outer = function.outer(|_, parameter| parameter.filling_attribute().is_some(), &body);
    quote! {
        #[allow(dead_code, unreachable_code, unused_variables)]
        #outer
    }
}
