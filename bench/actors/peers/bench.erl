%% Erlang processes: the same message as a map, copied from heap to heap. Prints the lines that measure.py prints.
-module(bench).
-export([main/1]).

message() ->
    #{id => 812345, kind => <<"order">>, at => 1764284000.25,
      customer => #{name => <<"Ada Lovelace">>, mail => <<"ada@example.org">>,
                    address => #{street => <<"12 St James's Sq">>, city => <<"London">>}},
      items => [#{sku => <<"A-1001">>, count => 2, price => 19.5, tags => [<<"blue">>, <<"small">>]},
                #{sku => <<"B-2002">>, count => 1, price => 249.0, tags => [<<"fragile">>]}],
      paid => true, note => <<"ring twice, then call.">>}.

%% A term that was made at run time: a literal of the module would not be copied.
heap_message() -> binary_to_term(term_to_binary(message())).

main([Runs, Cases]) ->
    io:format("{\"version\": \"~s\"}~n", [erlang:system_info(otp_release)]),
    lists:foreach(
      fun(Case) -> lists:foreach(fun(_) -> run(Case) end, lists:seq(1, list_to_integer(Runs))) end,
      [list_to_atom(Case) || Case <- string:lexemes(Cases, ",")]),
    halt(0).

counter() ->
    receive
        {ask, From, Reference, Message} -> From ! {Reference, Message}, counter();
        _ -> counter()
    end.

ask(Process, Message) ->
    Reference = make_ref(),
    Process ! {ask, self(), Reference, Message},
    receive {Reference, Reply} -> Reply end.

run(tell) ->
    Process = spawn(fun counter/0), Message = heap_message(),
    timed(tell, 500000, fun() -> tell(500000, Process, Message), ask(Process, Message) end);
run(ask) ->
    Process = spawn(fun counter/0), Message = heap_message(),
    timed(ask, 100000, fun() -> asks(100000, Process, Message) end);
run(spawn) ->
    Processes = timed(spawn, 50000, fun() -> [spawn(fun counter/0) || _ <- lists:seq(1, 50000)] end),
    [exit(Process, kill) || Process <- Processes];
run(idle) ->
    Before = erlang:memory(processes),
    Processes = [spawn(fun counter/0) || _ <- lists:seq(1, 50000)],
    [ask(Process, small) || Process <- Processes],
    Bytes = erlang:memory(processes) - Before,
    io:format("{\"case\": \"idle\", \"count\": 50000, \"bytes\": ~p}~n", [Bytes]),
    [exit(Process, kill) || Process <- Processes];
run(_) -> ok.

tell(0, _, _) -> ok;
tell(Count, Process, Message) -> Process ! Message, tell(Count - 1, Process, Message).

asks(0, _, _) -> ok;
asks(Count, Process, Message) -> ask(Process, Message), asks(Count - 1, Process, Message).

timed(Case, Count, Function) ->
    erlang:garbage_collect(),
    {Before, _} = statistics(runtime),
    {Microseconds, Value} = timer:tc(Function),
    {After, _} = statistics(runtime),
    io:format("{\"case\": \"~s\", \"count\": ~p, \"seconds\": ~.9f, \"cpu_seconds\": ~.3f}~n",
              [Case, Count, Microseconds / 1.0e6, (After - Before) / 1.0e3]),
    Value.
