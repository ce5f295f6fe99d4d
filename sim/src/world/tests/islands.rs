//! Live nodes that have no way to find each other owe no agreement: it is seen that they have not, at the end of the faults or later.

use super::*;

/// Runs a scenario in which quiet time must not be held against the nodes.
#[track_caller]
fn apart(text: &str) {
    without_quiet_time("no chain of known addresses", text);
}

/// The same, for this reason.
#[track_caller]
fn without_quiet_time(reason: &str, text: &str) {
    let scenario = Scenario::parse(text, "apart.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let record = run(&scenario, 0, scenario.seed);
    holds(&record);
    let quiet = record.invariants.iter().find(|invariant| invariant.number == 7).unwrap();
    let why = quiet.not_applicable.as_deref().unwrap_or_default();
    assert!(why.starts_with(reason), "{quiet:?}");
}

#[test]
fn a_node_that_dials_another_label_all_the_time_finds_nobody_there() {
    apart(
        "name = \"labels\"\nduration = \"30s\"\n[cluster]\nnodes = 5\nstart = \"join\"\n\
         zones = [{ name = \"a\", nodes = 3 }, { name = \"b\", nodes = 2, label = \"b\" }]\n",
    );
}

#[test]
fn a_join_that_may_end_on_an_island_is_no_way_to_the_others() {
    // Two nodes arrive while they are cut off from the rest: each finds the other, and is content.
    apart(
        "name = \"island\"\nseed = 1036\nduration = \"33s\"\n[cluster]\nnodes = 4\nprofile = \"wan\"\n\
         [[fault]]\nat = \"2s\"\nkind = \"join\"\nnodes = { pick = 2 }\n\
         [[fault]]\nat = \"1s\"\nkind = \"partition\"\npartition = { a = { rest = true }, b = { pick = 2 } }\n",
    );
}

#[test]
fn a_node_that_has_to_stop_may_have_been_the_only_link() {
    let restart = "kind = \"restart\"\nmay_be_idle = true\n";
    apart(&format!(
        "name = \"link\"\nseed = 5971\nduration = \"1m14s\"\n[cluster]\nnodes = 4\nprofile = \"wan\"\n\
         [[fault]]\nat = \"2s\"\n{restart}nodes = {{ pick = 1 }}\n\
         [[fault]]\nat = \"15s250ms\"\n{restart}nodes = {{ all = true }}\n\
         [[fault]]\nat = \"1s\"\n{restart}nodes = {{ pick = 1 }}\n\
         [[fault]]\nat = \"2s750ms\"\n{restart}nodes = {{ pick = 1 }}\naddress = \"new\"\njoin = {{ pick = 1 }}\n\
         every = \"5s\"\nrepick = true\n"
    ));
}

#[test]
fn whoever_is_forgotten_before_it_can_be_dialled_is_not_found() {
    apart(
        "name = \"short\"\nduration = \"60s\"\n[cluster]\nnodes = 6\nconfig = { reconnect_timeout = \"20m\" }\n\
         [[fault]]\nat = \"1s\"\nkind = \"partition\"\npartition = { a = { pick = 3 }, b = { rest = true } }\n",
    );
}

#[test]
fn nothing_is_owed_where_the_failed_are_forgotten_sooner_than_they_are_dialled() {
    // A suspicion outlives the partition: its gossip is spent, and the accused do not hear of it.
    without_quiet_time(
        "a failed member may be forgotten",
        "name = \"late\"\nseed = 101121\nduration = \"11s\"\n[cluster]\nnodes = 4\nprofile = \"local\"\n\
         config = { buddy = false, reconnect_timeout = \"10s\" }\n\
         [[fault]]\nat = \"3s900ms\"\nname = \"partition-3\"\nkind = \"partition\"\npartition = { a = { pick = 1 }, b = { rest = true } }\n\
         [[fault]]\nat = \"1s900ms\"\nname = \"restart-6\"\nkind = \"restart\"\nnodes = { pick = 1 }\nmay_be_idle = true\n",
    );
}

#[test]
fn a_join_whose_first_exchange_went_well_is_no_way_to_the_others_on_its_list() {
    // node-1 has met node-2, and is still dialling a third that will not answer, when node-2 is gone from where it met it.
    apart(
        "name = \"fuzz-203336-shrunk\"\nseed = 203339\nduration = \"59s\"\n[cluster]\nnodes = 8\n\
         [[fault]]\nat = \"42s500ms\"\nkind = \"partition\"\npartition = { a = { pick = 2 }, b = { rest = true } }\nmay_be_idle = true\n\
         [[fault]]\nat = \"18s800ms\"\nkind = \"restart\"\nnodes = { pick = 3 }\naddress = \"new\"\nstate = \"lost\"\n\
         every = \"13s\"\nrepick = true\nmay_be_idle = true\n",
    );
}

/// Runs a scenario after which all have to agree, and do.
#[track_caller]
fn together(text: &str) {
    let scenario = Scenario::parse(text, "together.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let record = run(&scenario, 0, scenario.seed);
    holds(&record);
    let quiet = record.invariants.iter().find(|invariant| invariant.number == 7).unwrap();
    assert_eq!((quiet.not_applicable.as_deref(), quiet.checked > 0), (None, true), "{quiet:?}");
}

#[test]
fn a_short_memory_is_no_excuse_where_all_agree_as_the_faults_end() {
    together(
        "name = \"calm\"\nduration = \"20s\"\n[cluster]\nnodes = 5\nconfig = { reconnect_timeout = \"10s\" }\n",
    );
}

#[test]
fn a_join_that_has_not_succeeded_yet_is_a_way() {
    together(
        "name = \"late\"\nduration = \"30s\"\n[cluster]\nnodes = 4\n\
         [[fault]]\nat = \"20s\"\nkind = \"partition\"\npartition = { a = [\"node-3\"], b = { rest = true }, traffic = \"streams\" }\n\
         [[fault]]\nat = \"21s\"\nkind = \"join\"\nnodes = [\"node-3\"]\njoin = [\"node-0\"]\n",
    );
}

#[test]
fn who_has_left_comes_back_with_the_keys_that_it_had_got() {
    together(
        "name = \"keys\"\nduration = \"2m\"\n[cluster]\nnodes = 4\nkey = \"old\"\n\
         [[workload]]\nkind = \"keys\"\nat = \"5s\"\nfrom = [\"node-0\"]\n\
         [[fault]]\nat = \"60s\"\nkind = \"leave\"\nnodes = [\"node-2\"]\n\
         [[fault]]\nat = \"90s\"\nkind = \"restart\"\nnodes = [\"node-2\"]\n",
    );
}
