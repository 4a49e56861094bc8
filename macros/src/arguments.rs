//! Parses the arguments of an attribute: options, and the reserved keys `arg` and `crate`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned, ToTokens};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Path, Token, Type};

use crate::errors::Errors;
use crate::types::last_segment;
use crate::DaemonKind;

const EXPECTED: &str = "expected a method of the builder (`option`, `option = value` or \
                        `option(value, …)`), `arg = parameter` or `crate = path`";

/// Options of `with_command` that take any number of values.
const LISTS: [&str; 3] = ["args", "inherit_env", "ready_command"];

/// The arguments of one attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    /// The first argument of `with_daemon`.
    pub(crate) handle_type: Option<Type>,
    /// The name of the parameter to fill.
    pub(crate) arg: Option<Ident>,
    /// The path of the crate `managed_daemons`.
    pub(crate) crate_path: Option<Path>,
    pub(crate) options: Vec<BuilderCall>,
}

/// An option: a method to call on the builder.
pub(crate) struct BuilderCall {
    pub(crate) method: Ident,
    /// The arguments in parentheses; rustc reports a wrong number of them at the span of the group.
    pub(crate) arguments: Group,
}

impl Arguments {
    /// Skips malformed arguments, after an error for each. Errors about missing arguments point at
    /// `attribute`.
    pub(crate) fn parse(kind: DaemonKind, tokens: TokenStream, attribute: &TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self::default();
        let parser = |input: ParseStream<'_>| {
            if kind.handle.is_none() {
                arguments.parse_handle_type(input, attribute, errors)?;
            }
            if kind.takes_program {
                arguments.parse_program(input, attribute, errors)?;
            }
            while !input.is_empty() {
                if let Err(error) = arguments.parse_argument(input, kind) {
                    errors.push(error);
                    // Errors about the rest of this argument would only follow from the first.
                    skip_argument(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        arguments
    }

    fn parse_handle_type(
        &mut self,
        input: ParseStream<'_>,
        attribute: &TokenStream,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let ahead = input.fork();
        let is_path = |ty: Type| matches!(ty, Type::Path(_)) && last_segment(&ty).is_some();
        if ahead.parse().is_ok_and(is_path) && is_argument_end(&ahead) {
            self.handle_type = Some(input.parse()?);
            input.parse::<Option<Token![,]>>()?;
            return Ok(());
        }
        let message = "`#[with_daemon]` needs the daemon's type first, such as \
                       `#[with_daemon(MyDaemon)]` or `#[with_daemon(MyDaemon, option = value)]`";
        errors.push(if input.is_empty() {
            syn::Error::new_spanned(attribute, message)
        } else {
            syn::Error::new(input.span(), message)
        });
        // An identifier begins an option, which is parsed next. Anything else is skipped.
        if !input.peek(syn::Ident) {
            skip_argument(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    }

    /// The program of `with_command`, unless `program = …` is there instead.
    fn parse_program(
        &mut self,
        input: ParseStream<'_>,
        attribute: &TokenStream,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if (input.peek(syn::Ident) || input.peek(Token![crate])) && input.peek2(Token![=]) {
            return Ok(());
        }
        if input.is_empty() {
            let message = "`#[with_command]` needs the program first, such as `#[with_command(\"nats-server\")]` or \
                           `#[with_command(env!(\"CARGO_BIN_EXE_shop\"))]`";
            errors.push(syn::Error::new_spanned(attribute, message));
            return Ok(());
        }
        let program: Expr = input.parse()?;
        expect_argument_end(input)?;
        input.parse::<Option<Token![,]>>()?;
        let span = program.span();
        self.options.push(BuilderCall {
            method: Ident::new("program", span),
            arguments: parenthesized(program.to_token_stream(), span),
        });
        Ok(())
    }

    fn parse_argument(&mut self, input: ParseStream<'_>, kind: DaemonKind) -> syn::Result<()> {
        if input.peek(Token![crate]) {
            let key: Token![crate] = input.parse()?;
            let usage = "write `crate = path`, such as `crate = crate::testing::managed_daemons`";
            let path = parse_reserved(input, key.span(), usage, Path::parse_mod_style)?;
            return set_once(&mut self.crate_path, path, &key);
        }
        let key: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), EXPECTED))?;
        if key == "arg" {
            let usage = match kind.takes_program {
                true => {
                    "write `arg = parameter`, with the name of the parameter to fill; what the program gets goes into \
                     `args(…)`"
                }
                false => "write `arg = parameter`, with the name of the parameter to fill",
            };
            let name = parse_reserved(input, key.span(), usage, Ident::parse)?;
            return set_once(&mut self.arg, name, &key);
        }
        let is_list = kind.takes_program && LISTS.iter().any(|list| key == list) && input.peek(syn::token::Paren);
        let arguments = parse_call_arguments(input, &key)?;
        let arguments = match is_list {
            true => list(&arguments),
            false => arguments,
        };
        self.options.push(BuilderCall { method: key, arguments });
        Ok(())
    }
}

/// The values as one argument: an array of strings.
fn list(values: &Group) -> Group {
    let (span, values) = (values.span(), values.stream());
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    // The syntax was checked before.
    let values = parser.parse2(values).unwrap_or_default().into_iter();
    let strings = values.map(|value| {
        // With this span, lints don't see a conversion that a `String` would not need.
        let span = Span::mixed_site().located_at(value.span());
        quote_spanned!(span=> ::std::string::String::from(#value))
    });
    parenthesized(quote!([#(#strings),*]), span)
}

/// What follows the name of an option: nothing, `= value` or `(value, …)`.
fn parse_call_arguments(input: ParseStream<'_>, method: &Ident) -> syn::Result<Group> {
    if is_argument_end(input) {
        return Ok(parenthesized(TokenStream::new(), method.span()));
    }
    if input.peek(syn::token::Paren) {
        let group: Group = input.parse()?;
        // Checks the syntax only: the tokens are passed on as they are.
        Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream())?;
        expect_argument_end(input)?;
        return Ok(group);
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(input.span(), EXPECTED));
    }
    input.parse::<Token![=]>()?;
    if is_argument_end(input) {
        let message = format!("expected a value after `{method} =`");
        return Err(syn::Error::new_spanned(method, message));
    }
    let value: Expr = input.parse()?;
    expect_argument_end(input)?;
    Ok(parenthesized(value.to_token_stream(), value.span()))
}

/// The `= value` of a reserved key. All errors say `usage`.
fn parse_reserved<T>(
    input: ParseStream<'_>,
    key: Span,
    usage: &str,
    parse_value: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let error_here = || {
        let span = if is_argument_end(input) { key } else { input.span() };
        syn::Error::new(span, usage)
    };
    let error = error_here();
    input.parse::<Token![=]>().map_err(|_| error)?;
    let error = error_here();
    let value = parse_value(input).map_err(|_| error)?;
    if is_argument_end(input) {
        Ok(value)
    } else {
        Err(error_here())
    }
}

fn is_argument_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn expect_argument_end(input: ParseStream<'_>) -> syn::Result<()> {
    if is_argument_end(input) {
        Ok(())
    } else {
        Err(syn::Error::new(input.span(), EXPECTED))
    }
}

fn skip_argument(input: ParseStream<'_>) -> syn::Result<()> {
    while !is_argument_end(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn set_once<T>(field: &mut Option<T>, value: T, key: &impl ToTokens) -> syn::Result<()> {
    if field.replace(value).is_some() {
        let message = format!("`{}` is given twice: keep one", quote!(#key));
        return Err(syn::Error::new_spanned(key, message));
    }
    Ok(())
}

fn parenthesized(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(span);
    group
}
