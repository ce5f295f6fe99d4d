use super::*;

#[test]
fn both_drivers_run_both_phases_to_the_last_report() {
    for driver in [Driver::Simulator, Driver::Arena] {
        let run = run(driver, Settings::Plain, 20, Duration::from_secs(5), 1);
        assert!(run.complete, "{driver:?}: {run:?}");
        // A ping and an ack for each node and second; the ends of the phase cut some off.
        assert!(run.idle.messages.abs_diff(20 * 5 * 2) <= 4, "{driver:?}: {run:?}");
        assert!((3.0..60.0).contains(&run.killed.simulated), "{driver:?}: {run:?}");
        assert!(run.idle.cpu > 0.0 && run.killed.cpu > 0.0 && run.set_up > 0.0);
    }
}

#[test]
fn both_ways_of_saying_plain_are_the_same_settings() {
    for settings in [Settings::Plain, Settings::Coordinates] {
        let scenario = settings.scenario(10, Duration::from_secs(1)).unwrap();
        assert_eq!(scenario.cluster.config, settings.config());
    }
    assert_eq!(Settings::Lan.scenario(10, Duration::from_secs(1)).unwrap().cluster.config, Config::lan());
}

#[test]
fn one_in_a_hundred_is_killed_and_at_least_one() {
    assert_eq!([4, 100, 149, 150, 4000].map(victims), [1, 1, 1, 2, 40]);
    assert_eq!(chosen_victims(1, 200).len(), 2);
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
}

#[test]
fn a_table_shows_medians_and_ratios() {
    let phase = |cpu| Phase { simulated: 10.0, cpu, messages: 100 };
    let run = |cpu| Run { set_up: 0.5, idle: phase(cpu), killed: phase(2.0 * cpu), complete: true };
    let [idle, killed] = Row::of("ours", 100, &[run(0.1), run(0.2), run(0.4)]);
    let peer = Row { speed: 10.0, ..idle.clone() };
    let silent = Row { speed: 40.0, ..idle.clone() };
    let text = render(&[idle.beside(&peer, &silent), killed], false);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].trim_start().starts_with("phase"), "{text}");
    assert!(lines[1].contains("50.0") && lines[1].contains("5.00") && lines[1].contains("1.25"), "{text}");
    assert!(lines[2].contains("25.0"), "{text}");
}
