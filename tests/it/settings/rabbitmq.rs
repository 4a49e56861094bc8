use managed_daemons::RabbitMqDaemon;

use super::{assert_documented, Settings};

const TABLE: &str = include_str!("../../../fixtures/src/daemons/rabbitmq/settings.md");

/// Of all that `rabbitmqctl environment` shows, what the description of the application RabbitMQ
/// does not have, and what the arguments set of other applications. What else differs there,
/// RabbitMQ itself sets whenever it starts.
const SET: &str = r#"
    File = code:where_is_file("rabbit.app"),
    {ok, [{application, rabbit, Keys}]} = file:consult(File),
    OfRabbit = application:get_all_env(rabbit) -- proplists:get_value(env, Keys, []),
    Loaded = [A || {A, _, _} <- application:loaded_applications()],
    Pairs = fun Pairs([K, _ | More]) -> [list_to_atom(K) | Pairs(More)]; Pairs(_) -> [] end,
    OfOthers = [{A, K, element(2, application:get_env(A, K))}
        || {A, Words} <- init:get_arguments(), lists:member(A, Loaded), K <- Pairs(Words)],
    Set = [{rabbit, K, V} || {K, V} <- OfRabbit] ++ OfOthers,
    iolist_to_binary([io_lib:format("~s ~s ~0tp~n", [A, K, V]) || {A, K, V} <- Set]).
"#;

#[test]
fn the_table_of_rabbitmq_is_true() {
    let rabbit = RabbitMqDaemon::start().unwrap();
    let answer = rabbit.eval(SET).unwrap();
    let text = answer
        .trim_start_matches("<<\"")
        .trim_end_matches("\">>")
        .replace("\\n", "\n");
    let lines = text.lines().filter_map(|line| {
        let (application, rest) = line.split_once(' ')?;
        let (key, value) = rest.split_once(' ')?;
        Some((format!("{application} {key}"), value.to_owned()))
    });
    let set: Settings = lines.collect();
    assert_documented(TABLE, &set, |name| set.get(name).cloned());
}
